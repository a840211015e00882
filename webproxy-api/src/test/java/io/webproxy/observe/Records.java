package io.webproxy.observe;

import io.webproxy.spi.ExchangeData;
import io.webproxy.timeout.TimeoutClass;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Records of exchanges that never were. */
public final class Records {
    private Records() {}

    static ExchangeRecord ofPath(String path) {
        return of("GET", 502, path, "HTTP/1.1", "/", ForwardError.UPSTREAM_CLOSED);
    }

    /** A record of one second, 12 bytes in and 34 out, at {@code 127.0.0.1:8080}; the class was upgraded. */
    public static ExchangeRecord of(
            String method,
            int status,
            String path,
            String protocol,
            @Nullable String route,
            @Nullable ForwardError error) {
        return of(method, status, path, protocol, route, "127.0.0.1:8080", error);
    }

    /** The same of another upstream. */
    public static ExchangeRecord of(
            String method,
            int status,
            String path,
            String protocol,
            @Nullable String route,
            String upstream,
            @Nullable ForwardError error) {
        return new ExchangeData(
                "request-1",
                Instant.EPOCH,
                InetAddress.getLoopbackAddress(),
                "operator",
                null,
                method,
                "https",
                "example.com",
                path,
                "token=hunter2",
                protocol,
                route,
                upstream,
                "HTTP/1.1",
                status,
                true,
                TimeoutClass.DEFAULT,
                TimeoutClass.LONG,
                12,
                34,
                1,
                Duration.ZERO,
                Duration.ofMillis(250),
                Duration.ofSeconds(1),
                error,
                null,
                "agent-secret",
                "https://example.com/?referer-secret",
                null,
                null,
                java.util.Map.of());
    }
}
