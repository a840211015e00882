package io.webproxy.undertow.http2;

import io.undertow.util.HttpString;
import io.webproxy.undertow.http2.HpackName.Indexing;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The well-known names, looked up by bytes or by {@link HttpString} without allocation. */
final class HpackNames {
    private static final Set<String> NEVER = Set.of("authorization", "cookie", "proxy-authorization", "set-cookie");

    /** Fields that differ from one message to the next. */
    private static final Set<String> LITERAL = Set.of(
            ":path",
            ":status",
            "age",
            "cf-ray",
            "content-digest",
            "content-disposition",
            "content-length",
            "content-location",
            "content-md5",
            "content-range",
            "date",
            "digest",
            "etag",
            "expires",
            "if-match",
            "if-modified-since",
            "if-none-match",
            "if-range",
            "if-unmodified-since",
            "last-event-id",
            "last-modified",
            "location",
            "range",
            "ratelimit",
            "ratelimit-remaining",
            "ratelimit-reset",
            "referer",
            "repr-digest",
            "retry-after",
            "sec-websocket-key",
            "server-timing",
            "traceparent",
            "tracestate",
            "x-amz-cf-id",
            "x-amz-id-2",
            "x-amz-request-id",
            "x-amzn-requestid",
            "x-amzn-trace-id",
            "x-correlation-id",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
            "x-request-id",
            "x-response-time",
            "x-runtime",
            "x-trace-id");

    private static final List<String> OTHERS = List.of(
            ":protocol",
            "accept-patch",
            "accept-post",
            "access-control-allow-credentials",
            "access-control-allow-headers",
            "access-control-allow-methods",
            "access-control-allow-private-network",
            "access-control-expose-headers",
            "access-control-max-age",
            "access-control-request-headers",
            "access-control-request-method",
            "alt-svc",
            "alt-used",
            "cdn-cache-control",
            "clear-site-data",
            "connection",
            "content-security-policy",
            "content-security-policy-report-only",
            "cross-origin-embedder-policy",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
            "dnt",
            "early-data",
            "forwarded",
            "grpc-accept-encoding",
            "grpc-encoding",
            "grpc-message",
            "grpc-status",
            "grpc-timeout",
            "keep-alive",
            "nel",
            "origin",
            "origin-agent-cluster",
            "permissions-policy",
            "pragma",
            "priority",
            "proxy-connection",
            "proxy-status",
            "purpose",
            "referrer-policy",
            "report-to",
            "reporting-endpoints",
            "save-data",
            "sec-ch-ua",
            "sec-ch-ua-mobile",
            "sec-ch-ua-platform",
            "sec-fetch-dest",
            "sec-fetch-mode",
            "sec-fetch-site",
            "sec-fetch-user",
            "sec-gpc",
            "sec-purpose",
            "sec-websocket-accept",
            "sec-websocket-extensions",
            "sec-websocket-protocol",
            "sec-websocket-version",
            "service-worker",
            "te",
            "timing-allow-origin",
            "trailer",
            "upgrade",
            "upgrade-insecure-requests",
            "x-accel-buffering",
            "x-cache",
            "x-content-type-options",
            "x-csrf-token",
            "x-dns-prefetch-control",
            "x-download-options",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-port",
            "x-forwarded-proto",
            "x-frame-options",
            "x-permitted-cross-domain-policies",
            "x-powered-by",
            "x-real-ip",
            "x-requested-with",
            "x-robots-tag",
            "x-ua-compatible",
            "x-xss-protection");

    private static final int SLOTS = 1024;
    private static final @Nullable HpackName[] BY_BYTES = new HpackName[SLOTS];
    private static final @Nullable HpackName[] BY_NAME = new HpackName[SLOTS];

    static {
        for (int i = 1; i <= HpackStatic.LAST; i++) {
            add(HpackStatic.name(i), i);
        }
        LITERAL.forEach(name -> add(new HttpString(name), 0));
        OTHERS.forEach(name -> add(new HttpString(name), 0));
    }

    private HpackNames() {}

    private static void add(HttpString spelling, int index) {
        if (find(spelling) == null) {
            HpackName name = new HpackName(spelling, indexing(spelling.toString()), index);
            BY_BYTES[free(BY_BYTES, name.hash())] = name;
            BY_NAME[free(BY_NAME, spelling.hashCode())] = name;
        }
    }

    private static Indexing indexing(String spelling) {
        return NEVER.contains(spelling)
                ? Indexing.NEVER
                : LITERAL.contains(spelling) ? Indexing.LITERAL : Indexing.INDEXED;
    }

    private static int free(@Nullable HpackName[] slots, int hash) {
        int slot = slot(hash);
        while (slots[slot] != null) {
            slot = (slot + 1) & (SLOTS - 1);
        }
        return slot;
    }

    private static int slot(int hash) {
        return (hash ^ (hash >>> 10) ^ (hash >>> 20)) & (SLOTS - 1);
    }

    /** By any spelling; null if it isn't a well-known name. */
    static @Nullable HpackName find(HttpString name) {
        for (int slot = slot(name.hashCode()); ; slot = (slot + 1) & (SLOTS - 1)) {
            HpackName known = BY_NAME[slot];
            if (known == null || known.name.equals(name)) {
                return known;
            }
        }
    }

    /** By this exact spelling; null if it isn't a well-known name. */
    static @Nullable HpackName find(byte[] in, int from, int to) {
        for (int slot = slot(hash(in, from, to)); ; slot = (slot + 1) & (SLOTS - 1)) {
            HpackName known = BY_BYTES[slot];
            if (known == null || known.is(in, from, to)) {
                return known;
            }
        }
    }

    static int hash(byte[] in, int from, int to) {
        int hash = to - from;
        for (int i = from; i < to; i++) {
            hash = hash * 31 + in[i];
        }
        return hash;
    }
}
