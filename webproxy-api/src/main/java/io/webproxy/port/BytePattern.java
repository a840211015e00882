package io.webproxy.port;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The first bytes of a protocol: their values, offset and mask. A connection matches when all of them have arrived; the
 * first byte that differs rules it out. Immutable.
 */
public final class BytePattern {
    private static final Pattern HEX = Pattern.compile("([0-9A-Fa-f]{2} *)+");
    private static final int MOST_BYTES = 256;
    private static final int HIGHEST_OFFSET = 4096;

    private final byte[] bytes;
    private final byte[] mask;
    private final int offset;

    private BytePattern(byte[] bytes, byte[] mask, int offset) {
        this.bytes = bytes;
        this.mask = mask;
        this.offset = offset;
    }

    /**
     * Bytes at the start of the connection, all of whose bits count.
     *
     * @param hex two hexadecimal digits for each, such as {@code 05} or {@code 16 03}; spaces between bytes are
     *     allowed; 1 to 256 bytes
     * @throws IllegalArgumentException if it is anything else
     */
    public static BytePattern of(String hex) {
        byte[] bytes = parse("pattern", hex);
        byte[] mask = new byte[bytes.length];
        Arrays.fill(mask, (byte) 0xff);
        return new BytePattern(bytes, mask, 0);
    }

    /**
     * The same at another offset.
     *
     * @param position number of bytes before the pattern, which may have any value; 0 to 4,096
     * @throws IllegalArgumentException if it is out of range
     */
    public BytePattern at(int position) {
        if (position < 0 || position > HIGHEST_OFFSET) {
            throw new IllegalArgumentException("offset: " + position + " (expected: 0-" + HIGHEST_OFFSET + ")");
        }
        return new BytePattern(bytes, mask, position);
    }

    /**
     * The same where only some bits count; replaces an earlier mask.
     *
     * @param hex as many bytes as the pattern has; a bit that is 1 counts
     * @throws IllegalArgumentException if it has another length, or no bit counts
     */
    public BytePattern mask(String hex) {
        byte[] bits = parse("mask", hex);
        boolean some = false;
        for (byte b : bits) {
            some |= b != 0;
        }
        if (bits.length != bytes.length || !some) {
            throw new IllegalArgumentException("mask: '" + hex + "' (expected: " + bytes.length
                    + (bytes.length == 1 ? " byte" : " bytes") + ", as many as the pattern has, and a bit that is 1)");
        }
        return new BytePattern(bytes, bits, offset);
    }

    private static byte[] parse(String what, String hex) {
        String digits = HEX.matcher(Objects.requireNonNull(hex, what)).matches() ? hex.replace(" ", "") : "";
        if (digits.isEmpty() || digits.length() > 2 * MOST_BYTES) {
            throw new IllegalArgumentException(what + ": '" + hex + "' (expected: 1-" + MOST_BYTES
                    + " bytes in hexadecimal, such as 05 or 16 03)");
        }
        return HexFormat.of().parseHex(digits);
    }

    /** The number of bytes before the pattern. */
    public int offset() {
        return offset;
    }

    /** The number of bytes in the pattern. */
    public int length() {
        return bytes.length;
    }

    /**
     * Whether one byte matches in the bits that count.
     *
     * @param index its index in the pattern, from 0 to {@link #length()} - 1
     */
    public boolean matches(int index, byte value) {
        return ((bytes[index] ^ value) & mask[index]) == 0;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof BytePattern that
                && offset == that.offset
                && Arrays.equals(bytes, that.bytes)
                && Arrays.equals(mask, that.mask);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(bytes) + offset;
    }

    /** The bytes in hexadecimal; then the mask and the offset where they were given. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(HexFormat.of().formatHex(bytes));
        for (byte b : mask) {
            if (b != (byte) 0xff) {
                text.append('&').append(HexFormat.of().formatHex(mask));
                break;
            }
        }
        return (offset == 0 ? text : text.append('@').append(offset)).toString();
    }
}
