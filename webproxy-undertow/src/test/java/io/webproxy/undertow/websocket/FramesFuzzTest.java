package io.webproxy.undertow.websocket;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/** Any bytes as WebSocket frames. */
class FramesFuzzTest {
    private static final long TOKEN = 0x746f6b656e212121L;

    @FuzzTest
    void tracker(byte[] input) {
        FrameTracker whole = new FrameTracker();
        whole.pass(ByteBuffer.wrap(input));
        FrameTracker single = new FrameTracker();
        for (byte b : input) {
            single.passFrame(ByteBuffer.wrap(new byte[] {b}));
            assertThat(single.untilGap() == 0).isEqualTo(single.isBetweenFrames());
        }
        assertThat(single.untilGap()).isEqualTo(whole.untilGap());
        assertThat(whole.untilGap()).isNotNegative();
        FrameTracker frames = new FrameTracker();
        ByteBuffer bytes = ByteBuffer.wrap(input);
        while (bytes.hasRemaining()) {
            frames.passFrame(bytes);
            assertThat(frames.isBetweenFrames() || !bytes.hasRemaining()).isTrue();
        }
        assertThat(frames.untilGap()).isEqualTo(whole.untilGap());
    }

    private static byte[] filtered(byte[] input, int piece) {
        PongFilter filter = new PongFilter(TOKEN);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int at = 0; at < input.length; at += piece) {
            int count = Math.min(piece, input.length - at);
            ByteBuffer bytes = ByteBuffer.allocate(count + 16);
            filter.restore(bytes);
            bytes.put(input, at, count).flip();
            filter.filter(bytes, at + count == input.length);
            out.write(bytes.array(), bytes.position(), bytes.remaining());
        }
        return out.toByteArray();
    }

    /** What is left when each frame that is such a pong is taken out. */
    private static byte[] expected(byte[] input) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteBuffer bytes = ByteBuffer.wrap(input);
        while (bytes.hasRemaining()) {
            int start = bytes.position();
            new FrameTracker().passFrame(bytes);
            if (!isPong(input, start, bytes.position())) {
                out.write(input, start, bytes.position() - start);
            }
        }
        return out.toByteArray();
    }

    private static boolean isPong(byte[] input, int start, int end) {
        if (end - start != 14 || input[start] != (byte) 0x8a || input[start + 1] != (byte) 0x88) {
            return false;
        }
        ByteBuffer bytes = ByteBuffer.wrap(input);
        int mask = bytes.getInt(start + 2);
        return (bytes.getInt(start + 6) ^ mask) == (int) (TOKEN >>> 32)
                && (bytes.getInt(start + 10) ^ mask) == (int) TOKEN;
    }

    @FuzzTest
    void pongs(byte[] input) {
        byte[] expected = expected(input);
        assertThat(filtered(input, Math.max(1, input.length))).isEqualTo(expected);
        assertThat(filtered(input, 1)).isEqualTo(expected);
        assertThat(filtered(input, 9)).isEqualTo(expected);
    }
}
