package io.webproxy.undertow.exchange;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.HttpString;
import org.jspecify.annotations.Nullable;

/** The fields of W3C Trace Context, which pass to the upstream as they came. Pure. */
final class TraceFields {
    static final HttpString PARENT = HttpString.tryFromString("traceparent");
    static final HttpString STATE = HttpString.tryFromString("tracestate");

    private TraceFields() {}

    /** All values of a field, which may be a list (RFC 9110 section 5.3); null without one. */
    static @Nullable String of(HeaderMap fields, HttpString name) {
        HeaderValues values = fields.get(name);
        return values == null ? null : values.size() == 1 ? values.getFirst() : String.join(",", values);
    }
}
