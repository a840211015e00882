package io.webproxy.undertow.exchange;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.webproxy.undertow.message.MethodNames;

/**
 * The {@code Max-Forwards} field: how often an OPTIONS may still be forwarded (RFC 9110 section 7.6.2). TRACE is never
 * forwarded, and other methods ignore the field. Pure.
 */
public final class MaxForwards {
    private static final int MOST_DIGITS = 9;
    private static final int MOST = 999_999_999;

    private MaxForwards() {}

    /** Whether the request's method uses the field, and the field is present. */
    public static boolean isFor(HttpServerExchange http) {
        return MethodNames.is(http.getRequestMethod(), "OPTIONS")
                && http.getRequestHeaders().contains(Headers.MAX_FORWARDS);
    }

    /** Whether the field is anything but one number. */
    public static boolean isMalformed(HttpServerExchange http) {
        return isFor(http) && left(http) < 0;
    }

    /** Whether this server must answer instead of forwarding. */
    public static boolean isSpent(HttpServerExchange http) {
        return isFor(http) && left(http) == 0;
    }

    /** The decremented value for the next server; call it only if the request may be forwarded. */
    public static String next(HttpServerExchange http) {
        return Integer.toString(left(http) - 1);
    }

    private static int left(HttpServerExchange http) {
        HeaderValues values = http.getRequestHeaders().get(Headers.MAX_FORWARDS);
        String text = values.getFirst();
        if (values.size() != 1 || text.isEmpty() || !text.chars().allMatch(c -> c >= '0' && c <= '9')) {
            return -1;
        }
        return text.length() > MOST_DIGITS ? MOST : Integer.parseInt(text);
    }
}
