package io.webproxy.undertow.message;

/** The value of {@code Content-Length} (RFC 9110 section 8.6): digits alone. */
public final class ContentLength {
    /** More could overflow, and no body is that long. */
    private static final int MOST_DIGITS = 18;

    private ContentLength() {}

    /** The number of bytes; -1 unless the value is a number of at most 18 digits. */
    public static long parse(String value) {
        if (value.isEmpty() || value.length() > MOST_DIGITS) {
            return -1;
        }
        long bytes = 0;
        for (int i = 0; i < value.length(); i++) {
            int digit = value.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            bytes = 10 * bytes + digit;
        }
        return bytes;
    }
}
