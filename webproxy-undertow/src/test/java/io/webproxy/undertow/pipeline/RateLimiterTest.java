package io.webproxy.undertow.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.route.Route;
import io.webproxy.spi.RateLimit;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RateLimiterTest {
    private static final long SECOND = 1_000_000_000L;
    private static final Route ROUTE =
            Route.builder().name("a").forward("http://127.0.0.1:1").build();
    private static final Route OTHER =
            Route.builder().name("b").forward("http://127.0.0.1:1").build();
    private static final RateLimit LIMIT =
            RateLimit.of(2, Duration.ofSeconds(1)).withBurst(3);

    private final RateLimiter limiter = new RateLimiter();

    private long take(Route route, String client, long now) throws UnknownHostException {
        return limiter.take(route, LIMIT, InetAddress.getByName(client), now);
    }

    @Test
    void burstThenTheRate() throws Exception {
        for (int i = 0; i < 3; i++) {
            assertThat(take(ROUTE, "192.0.2.1", 5)).isZero();
        }
        assertThat(take(ROUTE, "192.0.2.1", 5)).isEqualTo(SECOND / 2);
        assertThat(take(ROUTE, "192.0.2.1", 5 + SECOND / 2)).isZero();
        assertThat(take(ROUTE, "192.0.2.1", 5 + SECOND / 2)).isPositive();
        int passed = 0;
        for (long now = SECOND; now <= 101 * SECOND; now += SECOND / 10) {
            passed += take(ROUTE, "192.0.2.1", now) == 0 ? 1 : 0;
        }
        assertThat(passed).isBetween(199, 202);
    }

    @Test
    void clientsAndRoutesHaveTheirOwn() throws Exception {
        for (int i = 0; i < 4; i++) {
            take(ROUTE, "2001:db8::1", 0);
        }
        assertThat(take(ROUTE, "2001:db8::2", 0)).as("the same network").isPositive();
        assertThat(take(ROUTE, "2001:db8:0:1::1", 0)).isZero();
        assertThat(take(OTHER, "2001:db8::1", 0)).isZero();
    }

    @Test
    void removedRouteIsForgotten() throws Exception {
        for (int i = 0; i < 4; i++) {
            take(ROUTE, "192.0.2.1", 0);
            take(OTHER, "192.0.2.1", 0);
        }
        limiter.retain(Set.of("b"));
        assertThat(take(ROUTE, "192.0.2.1", 0)).isZero();
        assertThat(take(OTHER, "192.0.2.1", 0)).isPositive();
    }
}
