package io.webproxy.undertow.message;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Adds field lines of one name to Undertow's map (2.4.4), which throws at the 128th: lines above 100 share a value.
 * Canary: {@code UndertowDefectsTest.fieldHasAtMost127Values}.
 */
public final class FieldLines {
    static final int MOST = 100;
    /** A separator that no received value contains. */
    private static final String LINE_FEED = "\n";

    private FieldLines() {}

    /**
     * Adds a value of a request. Surplus values are joined to a list (RFC 9110 section 5.3), those of {@code Cookie}
     * with semicolons (RFC 9113 section 8.2.3).
     */
    public static void add(HeaderMap fields, HttpString name, String value) {
        add(fields, name, value, name.equals(Headers.COOKIE) ? "; " : ", ");
    }

    /**
     * Adds a value of a response. Surplus values are joined to a list, but {@code Set-Cookie} isn't one: to forward it,
     * use {@link #lines}.
     */
    public static void addOfResponse(HeaderMap fields, HttpString name, String value) {
        add(fields, name, value, name.equals(Headers.SET_COOKIE) ? LINE_FEED : ", ");
    }

    private static void add(HeaderMap fields, HttpString name, String value, String separator) {
        @Nullable HeaderValues values = fields.get(name);
        if (values == null || values.size() < MOST) {
            fields.add(name, value);
        } else {
            values.addLast(values.removeLast() + separator + value);
        }
    }

    /** The values to send, one for each field line. */
    public static List<String> lines(HeaderValues values) {
        if (values.size() < MOST || !values.getHeaderName().equals(Headers.SET_COOKIE)) {
            return values;
        }
        return values.stream()
                .flatMap(value -> Arrays.stream(value.split(LINE_FEED, -1)))
                .toList();
    }
}
