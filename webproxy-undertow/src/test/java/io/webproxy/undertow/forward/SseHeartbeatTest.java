package io.webproxy.undertow.forward;

import static io.webproxy.testing.ByteInputs.everySplit;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SseHeartbeatTest {
    private static final long SILENCE = 100;

    /** Whether a heartbeat is due after these pieces and a long silence. */
    private static boolean isDue(List<byte[]> pieces) {
        SseHeartbeat heartbeat = new SseHeartbeat(SILENCE, 0);
        pieces.forEach(piece -> send(heartbeat, piece, 0));
        return heartbeat.isDue(SILENCE);
    }

    private static void send(SseHeartbeat heartbeat, byte[] bytes, long now) {
        heartbeat.sent(ByteBuffer.wrap(bytes).position(bytes.length), 0, now);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\n",
                "\r",
                "\r\n",
                "data: x\n\n",
                "data: x\r\r",
                "data: x\r\n\r\n",
                "data: x\r\n\r",
                "data: x\n\r",
                "data: x\r\n\n",
                "data: x\n\r\n",
                "data: x\r\r\n",
                "data: x\ndata: y\n\n",
                "id: 1\n\n",
                "retry: 10\n\n",
                "data\n\n",
                "data: x\n\n\n\r\r\n",
                ":\n",
                ": comment\r",
                ": comment\r\n",
                ": comment\n: comment\n",
                "data: x\n\n: comment\n",
                "data: x\n: comment\n\n",
                "\uFEFF",
                "\uFEFF\n",
                "\uFEFF: comment\n",
                "\uFEFFdata: x\n\n"
            })
    void dueBetweenTwoEventsHoweverTheStreamIsSplit(String stream) {
        everySplit(utf8(stream), pieces -> assertThat(isDue(pieces)).isTrue());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "d",
                "data: x",
                "data: x\n",
                "data: x\r",
                "data: x\r\n",
                "data: x\r\ndata: y\r\n",
                "data: x\n: comment",
                "data: x\n: comment\n",
                "data: x\n:\r\n",
                ":",
                ": comment",
                "\n: comment",
                "id: 1\n",
                "event: x\r",
                "data: x\n\nd",
                "data: x\r\n\rd",
                "data: x\n\ndata: y\n",
                "\uFEFFd",
                "\uFEFFdata: x\n",
                "\uFEFF:",
                "\n\uFEFF",
                "\n\uFEFF\n"
            })
    void neverDueWithinALineOrAnEventHoweverTheStreamIsSplit(String stream) {
        everySplit(utf8(stream), pieces -> assertThat(isDue(pieces)).isFalse());
    }

    @Test
    void neverDueWithinAByteOrderMark() {
        assertThat(isDue(List.of(new byte[] {(byte) 0xef}))).isFalse();
        assertThat(isDue(List.of(new byte[] {(byte) 0xef, (byte) 0xbb}))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 7, Long.MAX_VALUE - 150, -50})
    void dueAfterTheSilenceAndNotBefore(long start) {
        SseHeartbeat heartbeat = new SseHeartbeat(SILENCE, start);
        assertThat(heartbeat.isDue(start)).isFalse();
        assertThat(heartbeat.isDue(start + 99)).isFalse();
        assertThat(heartbeat.isDue(start + 100)).isTrue();

        send(heartbeat, utf8("data: x\n\n"), start + 100);
        assertThat(heartbeat.isDue(start + 199)).isFalse();
        assertThat(heartbeat.isDue(start + 200)).isTrue();

        heartbeat.comment(start + 250);
        assertThat(heartbeat.isDue(start + 349)).isFalse();
        assertThat(heartbeat.isDue(start + 350)).isTrue();
    }

    @Test
    void commentIsALineThatReadersIgnore() {
        ByteBuffer comment = new SseHeartbeat(SILENCE, 0).comment(0);
        byte[] bytes = new byte[comment.remaining()];
        comment.get(bytes);

        assertThat(bytes).startsWith(utf8(":")).endsWith(utf8("\n"));
        assertThat(EventStreamReader.read(bytes)).containsExactly("last event ID ");
    }

    @Test
    void onlyWhatWasSentIsFollowed() {
        SseHeartbeat heartbeat = new SseHeartbeat(SILENCE, 0);
        ByteBuffer bytes = ByteBuffer.wrap(utf8("data: x\n\ndata: y\n\n"));

        heartbeat.sent(bytes.position(9), 0, 0);
        assertThat(heartbeat.isDue(SILENCE)).isTrue();
        heartbeat.sent(bytes.position(12), 9, 0);
        assertThat(heartbeat.isDue(SILENCE)).isFalse();
        heartbeat.sent(bytes.position(18), 12, 0);
        assertThat(heartbeat.isDue(SILENCE)).isTrue();
    }

    @Test
    void commentsNeverChangeWhatAReaderDispatches() {
        Random random = new Random(4);
        int comments = 0;
        for (int run = 0; run < 20_000; run++) {
            StringBuilder stream = new StringBuilder(random.nextInt(4) == 0 ? "\uFEFF" : "data: x");
            for (int n = random.nextInt(20); n > 0; n--) {
                stream.append(EventStreamReader.PARTS.get(random.nextInt(EventStreamReader.PARTS.size())));
            }
            byte[] bytes = utf8(stream.toString());
            SseHeartbeat heartbeat = new SseHeartbeat(SILENCE, 0);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            for (int at = 0; at < bytes.length; ) {
                int end = Math.min(bytes.length, at + 1 + random.nextInt(random.nextBoolean() ? 1 : 9));
                heartbeat.sent(ByteBuffer.wrap(bytes).position(end), at, 0);
                out.write(bytes, at, end - at);
                at = end;
                while (heartbeat.isDue(SILENCE) && random.nextInt(3) > 0) {
                    ByteBuffer comment = heartbeat.comment(0);
                    out.write(comment.array(), comment.position(), comment.remaining());
                    comments++;
                }
            }
            assertThat(EventStreamReader.read(out.toByteArray()))
                    .as("run %d of %s", run, stream)
                    .isEqualTo(EventStreamReader.read(bytes));
        }
        assertThat(comments).isGreaterThan(20_000);
    }
}
