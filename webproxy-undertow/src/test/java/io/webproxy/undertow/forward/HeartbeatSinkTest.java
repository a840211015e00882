package io.webproxy.undertow.forward;

import static io.webproxy.testing.ByteInputs.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.undertow.conduits.ChunkedStreamSinkConduit;
import io.undertow.util.HeaderMap;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xnio.channels.StreamSourceChannel;
import org.xnio.conduits.StreamSinkConduit;

class HeartbeatSinkTest {
    private static final long SILENCE = 100;
    private static final String COMMENT = ":\n\n";

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final List<String> calls = new ArrayList<>();
    private IntSupplier room = () -> Integer.MAX_VALUE;
    private IOException failure;
    private long now;

    /** A socket that takes as many bytes with each write as {@code room} says. */
    private final StreamSinkConduit socket = (StreamSinkConduit) Proxy.newProxyInstance(
            HeartbeatSinkTest.class.getClassLoader(),
            new Class<?>[] {StreamSinkConduit.class},
            (proxy, method, arguments) -> {
                if (failure != null) {
                    throw failure;
                }
                return switch (method.getName()) {
                    case "write" ->
                        arguments[0] instanceof ByteBuffer one
                                ? Integer.valueOf(take(one))
                                : (Object) take((ByteBuffer[]) arguments[0]);
                    case "isWriteShutdown" -> false;
                    case "terminateWrites" -> call("terminate after " + sent(), null);
                    case "flush" -> call("flush", true);
                    default -> throw new AssertionError(method);
                };
            });

    private final SseHeartbeat heartbeat = new SseHeartbeat(SILENCE, 0);
    private final HeartbeatSink sink = new HeartbeatSink(socket, heartbeat, () -> now);

    private int take(ByteBuffer bytes) {
        int count = Math.min(bytes.remaining(), room.getAsInt());
        for (int i = 0; i < count; i++) {
            out.write(bytes.get());
        }
        return count;
    }

    private long take(ByteBuffer[] bytes) {
        int most = room.getAsInt();
        int left = most;
        for (ByteBuffer next : bytes) {
            for (; left > 0 && next.hasRemaining(); left--) {
                out.write(next.get());
            }
        }
        return most - left;
    }

    private Object call(String name, Object answer) {
        calls.add(name);
        return answer;
    }

    private String sent() {
        return out.toString(StandardCharsets.UTF_8);
    }

    /** The socket takes these many bytes, one write after the other, then none. */
    private void room(int... sizes) {
        int[] next = {0};
        room = () -> next[0] < sizes.length ? sizes[next[0]++] : 0;
    }

    private void unlimited() {
        room = () -> Integer.MAX_VALUE;
    }

    private static ByteBuffer text(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void commentIsWrittenWhenItIsDueAndCountedButNotFlushed() throws IOException {
        assertThat(sink.beat(99)).isZero();
        assertThat(sink.beat(100)).isEqualTo(3);
        assertThat(sink.beat(100)).isZero();
        assertThat(sent()).isEqualTo(COMMENT);
        assertThat(calls).isEmpty();

        assertThat(sink.beat(200)).isEqualTo(3);
        assertThat(sent()).isEqualTo(COMMENT + COMMENT);
    }

    @Test
    void whatPassesRestartsTheSilence() throws IOException {
        now = 60;
        sink.write(text("data: x\n\n"));
        assertThat(sink.beat(159)).isZero();
        assertThat(sink.beat(160)).isEqualTo(3);

        now = 300;
        sink.write(text("data: y\n"));
        assertThat(sink.beat(1000)).as("within an event").isZero();
        room(0);
        sink.write(text("\n"));
        assertThat(sink.beat(1000)).as("not taken yet").isZero();
    }

    @Test
    void onlyWhatTheSocketTookIsFollowed() throws IOException {
        ByteBuffer bytes = text("data: x\n\ndata: y\n\n");
        room(9);
        assertThat(sink.write(bytes)).isEqualTo(9);
        assertThat(bytes.remaining()).isEqualTo(9);
        unlimited();
        assertThat(sink.beat(100)).as("the rest is on its way").isZero();
        assertThat(sink.write(bytes)).isEqualTo(9);
        assertThat(sink.beat(100)).isEqualTo(3);

        assertThat(sent()).isEqualTo("data: x\n\ndata: y\n\n" + COMMENT);
    }

    /** Undertow's sink decides on the size of a chunk when it is asked to write, not when the socket takes it. */
    @ParameterizedTest
    @ValueSource(ints = {0, 3, 13})
    void commentNeverGetsIntoAChunkThatWaits(int taken) throws IOException {
        StreamSinkConduit chunked =
                new ChunkedStreamSinkConduit(socket, null, true, false, new HeaderMap(), null, null);
        HeartbeatSink behind = new HeartbeatSink(chunked, new SseHeartbeat(SILENCE, 0), () -> now);
        ByteBuffer body = text("data: x\n\ndata: y\n\n");
        room(taken);
        behind.write(body);
        behind.beat(100);
        behind.flush();
        unlimited();
        while (body.hasRemaining()) {
            behind.write(body);
        }
        assertThat(behind.beat(200)).isEqualTo(3);

        assertThat(sent()).isEqualTo("12\r\ndata: x\n\ndata: y\n\n\r\n03\r\n:\n\n\r\n");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void bodyNeverTearsACommentApart(int taken) throws IOException {
        room(taken);
        assertThat(sink.beat(100)).isEqualTo(3);
        assertThat(sent()).isEqualTo(COMMENT.substring(0, taken));
        assertThat(sink.beat(1000)).as("one at a time").isZero();

        ByteBuffer body = text("data: x\n\n");
        assertThat(sink.write(body)).isZero();
        assertThat(sink.write(new ByteBuffer[] {body, text("data: y\n\n")}, 0, 2))
                .isZero();
        assertThat(body.position()).isZero();
        assertThat(sent()).isEqualTo(COMMENT.substring(0, taken));

        unlimited();
        assertThat(sink.write(body)).isEqualTo(9);
        assertThat(sent()).isEqualTo(COMMENT + "data: x\n\n");
    }

    @Test
    void everyWayToWriteWaitsForTheCommentAndIsFollowed(@TempDir Path folder) throws IOException {
        Path file = Files.write(folder.resolve("body"), bytes("data: x\n"));
        room(1);
        sink.beat(100);

        try (FileChannel channel = FileChannel.open(file)) {
            assertThat(sink.transferFrom(channel, 0, 8)).isZero();
            assertThat(sink.writeFinal(text("data: x\n"))).isZero();
            assertThat(sink.writeFinal(new ByteBuffer[] {text("data: x\n")}, 0, 1))
                    .isZero();
            assertThat(sent()).isEqualTo(":");
            assertThat(calls).isEmpty();

            unlimited();
            assertThat(sink.transferFrom(channel, 0, 8)).isEqualTo(8);
        }
        assertThat(sink.beat(1000)).as("within an event").isZero();
        assertThat(sink.transferFrom(source("data: y\n"), 8, ByteBuffer.allocate(3)))
                .isEqualTo(8);
        assertThat(sink.beat(1000)).as("within an event").isZero();
        assertThat(sink.writeFinal(new ByteBuffer[] {text("\n"), text(": end\n")}, 0, 2))
                .isEqualTo(7);

        String all = COMMENT + "data: x\ndata: y\n\n: end\n";
        assertThat(sent()).isEqualTo(all);
        assertThat(calls).containsExactly("terminate after " + all);
        assertThat(sink.beat(1000)).isZero();
    }

    @Test
    void lastBytesThatAreNotAllTakenDoNotEndTheStream() throws IOException {
        room(3);
        ByteBuffer body = text("data: x\n\n");
        assertThat(sink.writeFinal(body)).isEqualTo(3);
        assertThat(calls).isEmpty();

        unlimited();
        assertThat(sink.writeFinal(body)).isEqualTo(6);
        assertThat(calls).containsExactly("terminate after data: x\n\n");
    }

    /** What a transfer reads these bytes from. */
    private static StreamSourceChannel source(String text) {
        ByteBuffer left = text(text);
        return (StreamSourceChannel) Proxy.newProxyInstance(
                HeartbeatSinkTest.class.getClassLoader(),
                new Class<?>[] {StreamSourceChannel.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "read" -> {
                        ByteBuffer into = (ByteBuffer) arguments[0];
                        int count = Math.min(into.remaining(), left.remaining());
                        for (int i = 0; i < count; i++) {
                            into.put(left.get());
                        }
                        yield count == 0 ? -1 : count;
                    }
                    default -> throw new AssertionError(method);
                });
    }

    @Test
    void manyBuffersAreWrittenInOrderUntilTheSocketIsFull() throws IOException {
        ByteBuffer[] bodies = {text("skipped"), text("da"), text(""), text("ta: x"), text("\n\n"), text("skipped")};
        room(2, 1, 4, 0);
        assertThat(sink.write(bodies, 1, 4)).isEqualTo(7);
        assertThat(sent()).isEqualTo("data: x");

        unlimited();
        assertThat(sink.write(bodies, 1, 4)).isEqualTo(2);
        assertThat(sent()).isEqualTo("data: x\n\n");
        assertThat(sink.beat(100)).isEqualTo(3);
    }

    @Test
    void streamEndsBehindTheComment() throws IOException {
        room(1);
        sink.beat(100);
        sink.terminateWrites();
        assertThat(sink.flush()).isFalse();
        room(1);
        assertThat(sink.flush()).isFalse();
        assertThat(calls).isEmpty();

        unlimited();
        assertThat(sink.flush()).isTrue();
        assertThat(sink.flush()).isTrue();
        assertThat(calls).containsExactly("terminate after " + COMMENT, "flush", "flush");
    }

    @Test
    void streamWithoutACommentEndsAtOnceAndGetsNoneAnyMore() throws IOException {
        sink.write(text("data: x\n\n"));
        sink.terminateWrites();
        assertThat(sink.beat(1000)).isZero();
        assertThat(sink.flush()).isTrue();

        assertThat(calls).containsExactly("terminate after data: x\n\n", "flush");
        assertThat(sent()).isEqualTo("data: x\n\n");
    }

    @Test
    void flushSendsTheRestOfTheComment() throws IOException {
        room(0);
        sink.beat(100);
        assertThat(sink.flush()).isFalse();
        assertThat(calls).isEmpty();

        room(1, 1, 1);
        assertThat(sink.flush()).isTrue();
        assertThat(sent()).isEqualTo(COMMENT);
        assertThat(calls).containsExactly("flush");
    }

    @Test
    void brokenSocketIsToldToWhoeverWrites() {
        failure = new IOException("broken");
        assertThatIOException().isThrownBy(() -> sink.beat(100)).isSameAs(failure);
        assertThatIOException().isThrownBy(() -> sink.write(text("x"))).isSameAs(failure);
        assertThatIOException().isThrownBy(sink::flush).isSameAs(failure);
    }

    @Test
    void byteOrderMarkBehindACommentIsPassedOver() throws IOException {
        sink.beat(100);
        ByteBuffer body = text("\uFEFFdata: x\n\n");
        assertThat(sink.write(body)).isEqualTo(12);
        assertThat(sent()).isEqualTo(COMMENT + "data: x\n\n");

        sink.write(text("\uFEFF\n"));
        assertThat(sent()).as("it is none any more").endsWith("\n\n\uFEFF\n");
    }

    @Test
    void byteOrderMarkInFrontStaysOne() throws IOException {
        sink.write(text("\uFEFF"));
        assertThat(sink.beat(100)).isEqualTo(3);
        sink.write(text("data: x\n\n"));

        assertThat(sent()).isEqualTo("\uFEFF" + COMMENT + "data: x\n\n");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void byteOrderMarkInPiecesIsPassedOverToo(int split) throws IOException {
        sink.beat(100);
        ByteBuffer body = text("\uFEFFdata: x\n\n");
        assertThat(sink.write(body.duplicate().limit(split))).isEqualTo(split);
        assertThat(sink.write(body.position(split))).isEqualTo(12 - split);

        assertThat(sent()).isEqualTo(COMMENT + "data: x\n\n");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void startOfAByteOrderMarkThatIsNoneIsNotLost(int split) throws IOException {
        sink.beat(100);
        ByteBuffer body = text("\uF000data: x\n\n".replace("\uF000", split == 1 ? "\uF000" : "\uFEC0"));
        sink.write(body.duplicate().limit(split));
        room(1, 0);
        body.position(split);
        assertThat(sink.write(body)).isZero();
        assertThat(sink.beat(1000)).as("within a line").isZero();
        unlimited();
        sink.write(body);

        assertThat(out.toByteArray())
                .isEqualTo(text(COMMENT + (split == 1 ? "\uF000" : "\uFEC0") + "data: x\n\n")
                        .array());
    }

    @Test
    void commentsNeverChangeWhatAReaderDispatches() throws IOException {
        Random random = new Random(5);
        int atStart = 0;
        for (int run = 0; run < 10_000; run++) {
            StringBuilder stream = new StringBuilder(random.nextInt(3) == 0 ? "\uFEFF" : "");
            for (int n = random.nextInt(15); n > 0; n--) {
                stream.append(EventStreamReader.PARTS.get(random.nextInt(EventStreamReader.PARTS.size())));
            }
            ByteBuffer body = text(stream.toString());
            out.reset();
            now = 0;
            room = () -> random.nextInt(5);
            SseHeartbeat beats = new SseHeartbeat(SILENCE, 0);
            HeartbeatSink stuttering = new HeartbeatSink(socket, beats, () -> now);
            int counted = 0;
            while (body.hasRemaining()) {
                now += random.nextInt(2) * SILENCE;
                int comment = stuttering.beat(now);
                atStart += comment > 0 && body.position() == 0 ? 1 : 0;
                counted += comment;
                int before = body.position();
                ByteBuffer piece = body.duplicate().limit(Math.min(body.limit(), before + random.nextInt(6)));
                int written = stuttering.write(piece);
                assertThat(written).isEqualTo(piece.position() - before);
                body.position(piece.position());
            }
            counted += stuttering.beat(now + SILENCE);
            stuttering.terminateWrites();
            while (!stuttering.flush()) {
                assertThat(calls).isEmpty();
            }
            assertThat(calls.get(0)).startsWith("terminate");
            calls.clear();

            byte[] whole = text(stream.toString()).array();
            assertThat(EventStreamReader.read(out.toByteArray()))
                    .as("run %d of %s", run, stream)
                    .isEqualTo(EventStreamReader.read(whole));
            assertThat(out.size()).isBetween(whole.length + counted - 3, whole.length + counted);
        }
        assertThat(atStart).isGreaterThan(1000);
    }
}
