package io.webproxy.undertow.tunnel;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Parses messages from the bytes of a control channel, which may be split anywhere.
 *
 * <p>Pure, bounded and total: memory is allocated for received bytes only, and bad input is an answer, not an
 * exception. One reader serves one channel. Not thread-safe.
 */
final class FrameReader {
    /** The result for the bytes so far. */
    sealed interface Step {
        /** The start of a frame: more bytes are needed. */
        enum More implements Step {
            MORE
        }

        /** Not a frame, whatever follows. */
        record Malformed(String reason) implements Step {}

        /** A complete message. */
        record Whole(Message message) implements Step {}
    }

    private static final int USUAL = 256;

    private byte[] frame = new byte[0];
    private int length;
    private int expected = -1;
    private int headerLength;
    private int header;
    private Step.Malformed malformed = new Step.Malformed("");
    private boolean broken;

    /**
     * Consumes bytes up to the end of a frame; what follows stays in the buffer.
     *
     * @return the result; once it is malformed it doesn't change
     */
    Step feed(ByteBuffer bytes) {
        while (!broken && bytes.hasRemaining()) {
            if (expected < 0) {
                header(bytes.get());
            } else {
                int count = Math.min(expected - length, bytes.remaining());
                if (length + count > frame.length) {
                    frame = Arrays.copyOf(
                            frame, Math.min(expected, Math.max(Math.max(USUAL, 2 * frame.length), length + count)));
                }
                bytes.get(frame, length, count);
                length += count;
                if (length == expected) {
                    return whole();
                }
            }
        }
        return broken ? malformed : Step.More.MORE;
    }

    /** The memory of an incomplete frame in bytes. */
    int held() {
        return frame.length;
    }

    private void header(byte b) {
        header = header << 8 | (b & 0xff);
        if (++headerLength == Frames.HEADER) {
            if (header < 1 || header > Frames.MAX_FRAME) {
                broken("a message of " + Integer.toUnsignedString(header) + " bytes");
            } else {
                expected = header;
            }
        }
    }

    private Step whole() {
        Step step = new MessageBody(frame, length).read();
        if (step instanceof Step.Malformed why) {
            broken(why.reason());
        }
        frame = new byte[0];
        length = 0;
        expected = -1;
        headerLength = 0;
        header = 0;
        return step;
    }

    private void broken(String reason) {
        broken = true;
        malformed = new Step.Malformed(reason);
    }
}
