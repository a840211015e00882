package io.webproxy.undertow.message;

import java.util.regex.Pattern;

/** What names a host, with a port if need be, in {@code Host} and in a request target (RFC 3986 section 3.2). Pure. */
public final class Authority {
    private static final Pattern FORM =
            Pattern.compile("((?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})++|\\[[0-9A-Fa-f:.]+])(:[0-9]{0,5})?");
    private static final int MAX_PORT = 65535;
    private static final int MAX_PORT_DIGITS = 5;

    private Authority() {}

    /** Whether it is one, without user information. */
    public static boolean isValid(String authority) {
        if (!isPlain(authority) && !FORM.matcher(authority).matches()) {
            return false;
        }
        int colon = authority.lastIndexOf(':');
        String port = colon > authority.lastIndexOf(']') ? authority.substring(colon + 1) : "";
        return port.isEmpty() || Integer.parseInt(port) <= MAX_PORT;
    }

    /** What most are, for which no expression is needed: letters, digits, dots and hyphens, and a port. */
    private static boolean isPlain(String authority) {
        int length = authority.length();
        int at = 0;
        while (at < length && isPlain(authority.charAt(at))) {
            at++;
        }
        if (at == 0 || at == length) {
            return at > 0;
        }
        int port = at + 1;
        int digits = port;
        while (digits < length && authority.charAt(digits) >= '0' && authority.charAt(digits) <= '9') {
            digits++;
        }
        return authority.charAt(at) == ':' && digits == length && length - port <= MAX_PORT_DIGITS;
    }

    private static boolean isPlain(char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    }

    /** That of a URI with a scheme. */
    public static String of(String uri) {
        int start = uri.indexOf("//") + 2;
        int end = uri.indexOf('/', start);
        return uri.substring(start, end < 0 ? uri.length() : end);
    }
}
