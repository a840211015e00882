package io.webproxy.undertow.message;

import java.util.regex.Pattern;

/** What names a host, with a port if need be, in {@code Host} and in a request target (RFC 3986 section 3.2). Pure. */
public final class Authority {
    private static final Pattern FORM =
            Pattern.compile("((?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})++|\\[[0-9A-Fa-f:.]+])(:[0-9]{0,5})?");
    private static final int MAX_PORT = 65535;

    private Authority() {}

    /** Whether it is one, without user information. */
    public static boolean isValid(String authority) {
        if (!isPlainName(authority) && !FORM.matcher(authority).matches()) {
            return false;
        }
        int colon = authority.lastIndexOf(':');
        String port = colon > authority.lastIndexOf(']') ? authority.substring(colon + 1) : "";
        return port.isEmpty() || Integer.parseInt(port) <= MAX_PORT;
    }

    /** What most are, for which no expression is needed: letters, digits, dots and hyphens. */
    private static boolean isPlainName(String authority) {
        for (int i = 0; i < authority.length(); i++) {
            char c = authority.charAt(i);
            boolean plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
            if (!plain) {
                return false;
            }
        }
        return !authority.isEmpty();
    }

    /** That of a URI with a scheme. */
    public static String of(String uri) {
        int start = uri.indexOf("//") + 2;
        int end = uri.indexOf('/', start);
        return uri.substring(start, end < 0 ? uri.length() : end);
    }
}
