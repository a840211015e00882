package io.webproxy.undertow.message;

import io.undertow.util.HeaderMap;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Decodes the chunked transfer coding (RFC 9112 section 7.1), strictly: sizes are plain hexadecimal digits, lines end
 * with CRLF, nothing comes between a chunk's data and its CRLF; extensions and trailers are bounded. Only white space
 * after a size may be admitted by a leniency.
 *
 * <p>Pure and total: input may be split anywhere, and bad input is an answer, not an exception. Not thread-safe.
 */
public final class ChunkedDecoder {
    private static final int MAX_OVERHEAD = 16 * 1024;
    private static final int MAX_TRAILERS = 100;
    private static final int MAX_DIGITS = 15;
    private static final int MAX_PADDING = 16;

    /** The problem of a size that a leniency could admit. */
    public static final String PADDED = "white space after a chunk size";

    private enum State {
        SIZE,
        EXTENSION,
        SIZE_LF,
        DATA,
        DATA_CR,
        DATA_LF,
        TRAILERS,
        END,
        FAILED
    }

    private final Leniency leniency;
    private State state = State.SIZE;
    private long chunk;
    private int digits;
    private int extensionBytes;
    private int padding;
    private byte[] trailerBytes = new byte[0];
    private int trailerLength;
    private @Nullable String problem;
    private boolean tooLarge;
    private @Nullable HeaderMap trailers;

    /** A strict one. */
    public ChunkedDecoder() {
        this(Leniency.NONE);
    }

    /** One that is as strict as a leniency. */
    public ChunkedDecoder(Leniency leniency) {
        this.leniency = leniency;
    }

    /** Whether the body is complete. */
    public boolean isEnd() {
        return state == State.END;
    }

    /** What is wrong with the framing, or null. */
    public @Nullable String problem() {
        return problem;
    }

    /** Whether the problem is the size of extensions or trailers. */
    public boolean isTooLarge() {
        return tooLarge;
    }

    /** The trailers as received, or null if there were none. */
    public @Nullable HeaderMap trailers() {
        return trailers;
    }

    /** How many data bytes follow before the next framing. */
    long dataRemaining() {
        return state == State.DATA ? chunk : 0;
    }

    /**
     * Moves available data from {@code source} to {@code target}, and skips the framing.
     *
     * @return the number of data bytes moved; check {@link #isEnd()} and {@link #problem()} next
     */
    public int decode(ByteBuffer source, ByteBuffer target) {
        int moved = 0;
        while (state != State.END && state != State.FAILED && source.hasRemaining()) {
            if (state == State.DATA) {
                int count = (int) Math.min(chunk, Math.min(source.remaining(), target.remaining()));
                if (count == 0) {
                    break;
                }
                int limit = source.limit();
                source.limit(source.position() + count);
                target.put(source);
                source.limit(limit);
                moved += count;
                chunk -= count;
                if (chunk == 0) {
                    state = State.DATA_CR;
                }
            } else {
                framing(source.get());
            }
        }
        return moved;
    }

    /**
     * Removes the framing from what was read into a buffer, between {@code start} and its position: afterwards the data
     * is there, up to the new position.
     *
     * @return the bytes after the end of the body, as a view of the buffer; check {@link #isEnd()} and
     *     {@link #problem()} next
     */
    public ByteBuffer decodeInPlace(ByteBuffer buffer, int start) {
        // the data is never longer than what was read
        ByteBuffer raw = buffer.duplicate().flip().position(start);
        buffer.position(start);
        decode(raw, buffer);
        return raw;
    }

    private void framing(byte b) {
        switch (state) {
            case SIZE -> size(b);
            case EXTENSION -> extension(b);
            case SIZE_LF -> {
                if (b != '\n') {
                    fail("a CR without LF after a chunk size");
                } else if (chunk == 0) {
                    state = State.TRAILERS;
                } else {
                    state = State.DATA;
                }
                digits = 0;
            }
            case DATA_CR -> expect(b, '\r', State.DATA_LF);
            case DATA_LF -> {
                expect(b, '\n', State.SIZE);
                chunk = 0;
            }
            case TRAILERS -> trailer(b);
            default -> fail("a decoder was used after its end");
        }
    }

    private void size(byte b) {
        int digit = Character.digit(b, 16);
        if (digit >= 0 && padding == 0) {
            if (++digits > MAX_DIGITS) {
                fail("a chunk size above 2^60");
            } else {
                chunk = chunk << 4 | digit;
            }
        } else if (digits > 0 && b == '\r' && (padding == 0 || isPaddingAdmitted())) {
            padding = 0;
            state = State.SIZE_LF;
        } else if (digits > 0 && b == ';') {
            padding = 0;
            state = State.EXTENSION;
        } else if (digits > 0 && (b == ' ' || b == '\t') && ++extensionBytes <= MAX_OVERHEAD) {
            padding++;
        } else {
            fail(
                    b == '\r' && padding > 0 && padding <= MAX_PADDING
                            ? PADDED
                            : "a chunk size that isn't a hexadecimal number");
        }
    }

    private boolean isPaddingAdmitted() {
        return padding <= MAX_PADDING && leniency.admits(Deviation.PADDED_CHUNK_SIZE);
    }

    private void extension(byte b) {
        if (++extensionBytes > MAX_OVERHEAD) {
            tooLarge = true;
            fail("chunk extensions above " + MAX_OVERHEAD + " bytes");
        } else if (b == '\r') {
            state = State.SIZE_LF;
        } else if (!FieldParser.isValueByte(b)) {
            fail("a control character in a chunk extension");
        }
    }

    private void expect(byte b, char expected, State next) {
        if (b == expected) {
            state = next;
        } else {
            fail("bytes between a chunk's data and its CRLF");
        }
    }

    private void trailer(byte b) {
        if (trailerLength == MAX_OVERHEAD) {
            tooLarge = true;
            fail("trailers above " + MAX_OVERHEAD + " bytes");
            return;
        }
        if (trailerLength == trailerBytes.length) {
            trailerBytes = Arrays.copyOf(trailerBytes, Math.max(128, Math.min(MAX_OVERHEAD, trailerLength * 2)));
        }
        trailerBytes[trailerLength++] = b;
        boolean afterCr = trailerLength >= 2 && trailerBytes[trailerLength - 2] == '\r';
        if (afterCr != (b == '\n')) {
            // reported at once: a reader that waits for the line's end might wait forever
            fail("a trailer line that doesn't end with CRLF");
        } else if (b != '\n') {
            return;
        } else if (trailerLength == 2) {
            state = State.END;
        } else if (trailerBytes[trailerLength - 3] == '\n') {
            HeaderMap fields = new HeaderMap();
            String wrong = new FieldParser().parse(trailerBytes, 0, trailerLength, MAX_TRAILERS, fields);
            if (wrong == null) {
                trailers = fields;
                state = State.END;
            } else {
                fail(wrong);
            }
        }
    }

    private void fail(String what) {
        problem = what;
        state = State.FAILED;
    }
}
