package io.webproxy.undertow.forward;

import static io.webproxy.testing.ByteInputs.everySplit;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventLinesTest {
    private static final String EVENT = "data: x\r\n\r\n";

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Whether a part of an event is among these pieces. */
    private static boolean pass(EventLines lines, List<byte[]> pieces) {
        boolean event = false;
        for (byte[] piece : pieces) {
            event |= lines.pass(ByteBuffer.wrap(piece).position(piece.length), 0);
        }
        return event;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":",
                ": ping",
                ": ping\n",
                ": ping\r",
                ": ping\r\n",
                ": ping\n\n",
                ": ping\r\r: ping\r\r",
                ": ping\r\n\r\n: ping\r\n\r\n",
                ":data: x\n\n",
                ": \uFEFFdata: x\n",
                "\n",
                "\r",
                "\r\n\r\n\n\r\r\n"
            })
    void commentsAndBlankLinesAreNoEventHoweverTheyAreSplit(String idle) {
        for (String before : List.of("", "\uFEFF", EVENT, "\uFEFF" + EVENT, "id: 1\r\r", "retry: 1\n\n")) {
            everySplit(utf8(idle), pieces -> {
                EventLines lines = new EventLines();
                pass(lines, List.of(utf8(before)));
                assertThat(pass(lines, pieces)).as("after %s", before).isFalse();
            });
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "d",
                "data: x\n",
                "data\r",
                "event: x\r\n",
                "id: 1\n\n",
                "retry: 10\n",
                "other: x\n",
                " : x\n",
                "\uFEFFdata: x\n",
                ": ping\ndata: x\n",
                ": ping\rd",
                ": ping\r\n\r\nd",
                "\n\uFEFF: ping\n"
            })
    void everyLineWithAFieldIsOneHoweverItIsSplit(String stream) {
        everySplit(
                utf8(stream),
                pieces -> assertThat(pass(new EventLines(), pieces)).isTrue());
    }

    @Test
    void blankLineThatEndsAnEventIsPartOfIt() {
        EventLines lines = new EventLines();
        assertThat(pass(lines, List.of(utf8("data: x\n")))).isTrue();
        assertThat(pass(lines, List.of(utf8(": ping\n")))).isFalse();
        assertThat(pass(lines, List.of(utf8("\n")))).isTrue();
        assertThat(pass(lines, List.of(utf8("\n")))).isFalse();
    }

    @Test
    void byteOrderMarkAloneIsNone() {
        EventLines lines = new EventLines();
        for (byte b : utf8("\uFEFF")) {
            assertThat(pass(lines, List.of(new byte[] {b}))).isFalse();
        }
        assertThat(pass(lines, List.of(utf8(": ping\n")))).isFalse();
        assertThat(pass(lines, List.of(utf8("\uFEFF")))).as("only at the start").isTrue();
    }
}
