package io.webproxy.undertow.message;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import org.jspecify.annotations.Nullable;

/** Adds field lines of one name to a map that holds 127 of them: those above 100 become one list (RFC 9110 section 5.3). */
public final class FieldLines {
    private static final int MOST = 100;

    private FieldLines() {}

    /** Adds a value; {@code Cookie} is a list with semicolons (RFC 9113 section 8.2.3). */
    public static void add(HeaderMap fields, HttpString name, String value) {
        @Nullable HeaderValues values = fields.get(name);
        if (values == null || values.size() < MOST) {
            fields.add(name, value);
        } else {
            String last = values.removeLast();
            values.addLast(last + (name.equals(Headers.COOKIE) ? "; " : ", ") + value);
        }
    }
}
