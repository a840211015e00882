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
        if (!FORM.matcher(authority).matches()) {
            return false;
        }
        int colon = authority.lastIndexOf(':');
        String port = colon > authority.lastIndexOf(']') ? authority.substring(colon + 1) : "";
        return port.isEmpty() || Integer.parseInt(port) <= MAX_PORT;
    }

    /** That of a URI with a scheme. */
    public static String of(String uri) {
        int start = uri.indexOf("//") + 2;
        int end = uri.indexOf('/', start);
        return uri.substring(start, end < 0 ? uri.length() : end);
    }
}
