package io.webproxy.undertow.observe;

/**
 * Appends text of clients to a log line, as one piece where nothing in it needs an escape, which is nearly always. No
 * formatter: its time for each character would be a client's to spend. Pure.
 */
final class Escape {
    private static final String DIGITS = "0123456789abcdef";

    private Escape() {}

    /** With a backslash before quotes and backslashes, and control characters as {@code \x1b}. */
    static StringBuilder text(StringBuilder line, String text) {
        int from = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (isPlain(c) || c >= 0xa0) {
                continue;
            }
            line.append(text, from, i).append('\\');
            from = i + 1;
            if (isQuote(c)) {
                line.append(c);
            } else {
                hex(line.append('x'), c, 2);
            }
        }
        return rest(line, text, from);
    }

    /**
     * As the content of a JSON string: RFC 8259 section 7; the C1 controls and surrogates too, which terminals and
     * parsers choke on.
     */
    static StringBuilder json(StringBuilder line, String text) {
        int from = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (isPlain(c) || (c >= 0xa0 && !Character.isSurrogate(c))) {
                continue;
            }
            line.append(text, from, i).append('\\');
            from = i + 1;
            if (isQuote(c)) {
                line.append(c);
            } else {
                hex(line.append('u'), c, 4);
            }
        }
        return rest(line, text, from);
    }

    private static boolean isPlain(char c) {
        return c >= ' ' && c < 0x7f && !isQuote(c);
    }

    private static boolean isQuote(char c) {
        return c == '"' || c == '\\';
    }

    private static void hex(StringBuilder line, char c, int digits) {
        for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
            line.append(DIGITS.charAt(c >> shift & 0xf));
        }
    }

    private static StringBuilder rest(StringBuilder line, String text, int from) {
        return from == 0 ? line.append(text) : line.append(text, from, text.length());
    }
}
