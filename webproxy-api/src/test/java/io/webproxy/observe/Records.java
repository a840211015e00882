package io.webproxy.observe;

import io.webproxy.spi.ExchangeData;
import io.webproxy.timeout.TimeoutClass;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;

/** Records of exchanges that never were. */
final class Records {
    private Records() {}

    static ExchangeRecord ofPath(String path) {
        return new ExchangeData(
                "request-1",
                Instant.EPOCH,
                InetAddress.getLoopbackAddress(),
                "operator",
                null,
                "GET",
                "https",
                "example.com",
                path,
                "token=hunter2",
                "HTTP/1.1",
                "/",
                "127.0.0.1:8080",
                "HTTP/1.1",
                502,
                true,
                TimeoutClass.DEFAULT,
                TimeoutClass.LONG,
                12,
                34,
                1,
                Duration.ZERO,
                null,
                Duration.ofSeconds(1),
                ForwardError.UPSTREAM_CLOSED,
                null,
                "agent-secret",
                "https://example.com/?referer-secret",
                java.util.Map.of());
    }
}
