package io.webproxy.undertow.observe;

import io.webproxy.spi.ExchangeData;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** One exchange as a JSON object on one line (RFC 8259). Pure. */
final class JsonLine {
    private final StringBuilder line = new StringBuilder(1024);

    private JsonLine() {}

    static String of(ExchangeData e, boolean withQuery) {
        JsonLine json = new JsonLine();
        json.text("time", e.start().toString());
        json.text("request_id", e.requestId());
        json.text("client", AddressText.of(e.client()));
        json.text("user", e.userOrNull());
        json.text("method", e.method());
        json.text("scheme", e.scheme());
        json.text("host", e.authority());
        json.text("path", e.path());
        if (withQuery) {
            json.text("query", e.query());
        }
        json.text("protocol", e.protocol());
        json.raw("status", Integer.toString(e.status()));
        json.raw("proxy_answered", Boolean.toString(e.proxyAnswered()));
        json.text("route", e.routeOrNull());
        json.text("upstream", e.upstreamOrNull());
        json.text("upstream_protocol", e.upstreamProtocolOrNull());
        json.text("class_start", e.startClass().name());
        json.text("class_end", e.endClass().name());
        json.raw("bytes_in", Long.toString(e.bytesIn()));
        json.raw("bytes_out", Long.toString(e.bytesOut()));
        json.raw("attempts", Integer.toString(e.attempts()));
        json.seconds("connect", e.connect());
        json.seconds("first_byte", e.firstByteOrNull());
        json.seconds("total", e.total());
        json.text("error", e.errorOrNull() == null ? null : e.errorOrNull().name());
        json.raw("grpc_status", String.valueOf(e.grpcStatusOrNull()));
        json.text("referer", e.refererOrNull());
        json.text("user_agent", e.userAgentOrNull());
        json.text("traceparent", e.traceParentOrNull());
        json.text("tracestate", e.traceStateOrNull());
        json.tags(e.tags());
        return json.line.append('}').toString();
    }

    private void raw(String name, String value) {
        line.append(line.length() == 0 ? '{' : ',')
                .append('"')
                .append(name)
                .append("\":")
                .append(value);
    }

    private void text(String name, @Nullable String value) {
        if (value == null) {
            raw(name, "null");
        } else {
            raw(name, "\"");
            Escape.json(line, value);
            line.append('"');
        }
    }

    private void tags(Map<String, String> tags) {
        raw("tags", "{");
        String separator = "";
        for (Map.Entry<String, String> tag : new TreeMap<>(tags).entrySet()) {
            line.append(separator).append('"');
            Escape.json(line, tag.getKey());
            line.append("\":\"");
            Escape.json(line, tag.getValue());
            line.append('"');
            separator = ",";
        }
        line.append('}');
    }

    private void seconds(String name, @Nullable Duration time) {
        raw(name, time == null ? "null" : "");
        if (time != null) {
            Seconds.append(line, time, 6);
        }
    }
}
