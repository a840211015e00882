package io.webproxy.undertow.message;

/**
 * Checks the authority in {@code Host} and in a request target: a host with an optional port (RFC 3986 section 3.2).
 * Pure.
 */
public final class Authority {
    private static final int MAX_PORT = 65535;
    private static final int MAX_PORT_DIGITS = 5;
    /** By character: whether it may stand unencoded in a name, and in a bracketed address. */
    private static final boolean[] NAME = of("._~!$&'()*+,;=-", "az", "AZ", "09");

    private static final boolean[] ADDRESS = of(":.", "af", "AF", "09");

    private Authority() {}

    private static boolean[] of(String characters, String... ranges) {
        boolean[] set = new boolean[128];
        characters.chars().forEach(c -> set[c] = true);
        for (String range : ranges) {
            for (char c = range.charAt(0); c <= range.charAt(1); c++) {
                set[c] = true;
            }
        }
        return set;
    }

    private static boolean isIn(boolean[] set, char c) {
        return c < set.length && set[c];
    }

    /** Whether a text is a valid authority without user information. */
    public static boolean isValid(String authority) {
        int length = authority.length();
        int end = length > 0 && authority.charAt(0) == '[' ? addressEnd(authority) : nameEnd(authority);
        return end > 0 && (end == length || (authority.charAt(end) == ':' && isPort(authority, end + 1)));
    }

    /** Index of the bracket that ends a non-empty address, or -1. */
    private static int addressEnd(String authority) {
        int at = 1;
        while (at < authority.length() && isIn(ADDRESS, authority.charAt(at))) {
            at++;
        }
        return at > 1 && at < authority.length() && authority.charAt(at) == ']' ? at + 1 : -1;
    }

    /** Index where a name ends: its characters, and percent-encoded bytes. */
    private static int nameEnd(String authority) {
        int length = authority.length();
        int at = 0;
        while (at < length) {
            if (isIn(NAME, authority.charAt(at))) {
                at++;
            } else if (at + 2 < length
                    && authority.charAt(at) == '%'
                    && isHex(authority.charAt(at + 1))
                    && isHex(authority.charAt(at + 2))) {
                at += 3;
            } else {
                break;
            }
        }
        return at;
    }

    private static boolean isHex(char c) {
        return isIn(ADDRESS, c) && c != ':' && c != '.';
    }

    /** Whether the rest is a port of up to five digits, or nothing. */
    private static boolean isPort(String authority, int start) {
        int port = 0;
        for (int i = start; i < authority.length(); i++) {
            char c = authority.charAt(i);
            if (c < '0' || c > '9') {
                return false;
            }
            port = port * 10 + c - '0';
            if (i - start >= MAX_PORT_DIGITS || port > MAX_PORT) {
                return false;
            }
        }
        return true;
    }

    /** The authority of a URI with a scheme. */
    public static String of(String uri) {
        int start = uri.indexOf("//") + 2;
        int end = uri.indexOf('/', start);
        return uri.substring(start, end < 0 ? uri.length() : end);
    }
}
