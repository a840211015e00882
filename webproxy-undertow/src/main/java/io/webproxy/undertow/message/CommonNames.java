package io.webproxy.undertow.message;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads fields by names given as strings. Names that every exchange uses aren't hashed again each time. Pure. */
public final class CommonNames {
    private static final Map<String, HttpString> KNOWN = Map.of(
            "accept", Headers.ACCEPT,
            "connection", Headers.CONNECTION,
            "content-disposition", Headers.CONTENT_DISPOSITION,
            "content-type", Headers.CONTENT_TYPE,
            "range", Headers.RANGE,
            "upgrade", Headers.UPGRADE);

    private CommonNames() {}

    /** The first value of a field, or null. */
    public static @Nullable String first(HeaderMap fields, String name) {
        HttpString known = KNOWN.get(name);
        return known == null ? fields.getFirst(name) : fields.getFirst(known);
    }

    /** The names of all fields. */
    public static List<String> names(HeaderMap fields) {
        return fields.getHeaderNames().stream().map(HttpString::toString).toList();
    }

    /** All values of a field. */
    public static List<String> all(HeaderMap fields, String name) {
        HttpString known = KNOWN.get(name);
        HeaderValues values = known == null ? fields.get(name) : fields.get(known);
        return values == null ? List.of() : List.copyOf(values);
    }
}
