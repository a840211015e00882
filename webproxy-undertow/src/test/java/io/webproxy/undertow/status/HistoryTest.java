package io.webproxy.undertow.status;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.observe.ForwardError;
import io.webproxy.spi.ExchangeData;
import io.webproxy.timeout.TimeoutClass;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class HistoryTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private static ExchangeData exchange(String route, String upstream, @Nullable ForwardError error) {
        return new ExchangeData(
                "id",
                Instant.EPOCH,
                InetAddress.getLoopbackAddress(),
                null,
                null,
                "GET",
                "http",
                "h",
                "/",
                "",
                "HTTP/1.1",
                route,
                upstream,
                "HTTP/1.1",
                error == null ? 200 : 502,
                false,
                TimeoutClass.DEFAULT,
                TimeoutClass.DEFAULT,
                10,
                20,
                1,
                Duration.ZERO,
                error == null ? Duration.ofMillis(4) : null,
                Duration.ofMillis(5),
                error,
                null,
                null,
                null,
                null,
                null,
                Map.of());
    }

    @Test
    void eightHoursOfFailuresAndNewNamesDoNotMakeItGrow() {
        History history = new History(0);
        history.follow(Set.of(), Set.of("a:1", "b:1"), 0);
        String longName = "n".repeat(10_000);
        for (int second = 1; second <= TimeUnit.HOURS.toSeconds(8); second++) {
            ForwardError error = ForwardError.values()[second % ForwardError.values().length];
            history.exchangeEnded(exchange(longName + second, "made-up-" + second + ":1", error));
            history.exchangeEnded(exchange("route", "a:1", null));
            history.sample(second * SECOND, null);
            if (second % 3600 == 0) {
                assertThat(history.size()).isEqualTo(2 + 3 * History.MOST_FAILURES);
            }
        }
        long now = TimeUnit.HOURS.toNanos(8);
        assertThat(history.throughput(0, now)).hasSize(History.SLOTS);
        assertThat(LongStream.of(history.throughput(0, now)).sum()).isBetween(590L, 600L);
        assertThat(history.failures())
                .allSatisfy(failure -> assertThat(failure.route()).hasSize(Json.MOST_CHARACTERS));
        assertThat(history.upstream("a:1").latency(now))
                .hasSize(History.LATENCY_SLOTS)
                .contains(4000);
        assertThat(history.upstream("made-up-1:1")).isNull();
    }

    @Test
    void failuresOfClientsDoNotPushOutThoseOfUpstreams() {
        History history = new History(0);
        history.exchangeEnded(exchange("route", "a:1", ForwardError.CONNECT_REFUSED));
        for (int i = 0; i < 1000; i++) {
            history.exchangeEnded(exchange("route", "a:1", ForwardError.CLIENT_ABORTED));
        }
        assertThat(history.failures()).extracting(Failure::error).contains("CONNECT_REFUSED");
    }

    @Test
    void moreUpstreamsThanTheLimitAreNotFollowedAndKnownOnesStay() {
        History history = new History(0);
        history.follow(Set.of(), Set.of("a:1"), 0);
        History.OfUpstream known = history.upstream("a:1");
        history.follow(Set.of(), Set.of("a:1", "b:1"), 0);
        assertThat(history.upstream("a:1")).isSameAs(known);
        Set<String> many =
                LongStream.range(0, 10_000).mapToObj(i -> "u" + i + ":1").collect(java.util.stream.Collectors.toSet());
        history.follow(Set.of(), many, 0);
        assertThat(history.size()).isEqualTo(History.MOST_UPSTREAMS);
    }

    @Test
    void ownRequestsOfThePageDoNotCount() {
        History history = new History(0);
        history.follow(Set.of("page"), Set.of(), 0);
        history.exchangeEnded(exchange("page", "a:1", ForwardError.CLIENT_ABORTED));
        history.exchangeEnded(exchange("route", "a:1", null));
        history.sample(SECOND, null);
        assertThat(LongStream.of(history.throughput(0, SECOND)).sum()).isEqualTo(1);
        assertThat(LongStream.of(history.throughput(3, SECOND)).sum()).isEqualTo(20);
        assertThat(history.failures()).isEmpty();
    }

    @Test
    void slotsThatPassedAreEmpty() {
        Ring ring = new Ring(1, 3, 10, 0);
        ring.add(5, 1);
        ring.add(15, 2);
        ring.add(16, 2);
        assertThat(ring.column(0, 25)).containsExactly(1, 4, 0);
        assertThat(ring.column(0, 35)).containsExactly(4, 0, 0);
        assertThat(ring.column(0, 1000)).containsExactly(0, 0, 0);
        // a clock never goes back, but two threads may read it in another order
        ring.add(995, 7);
        assertThat(ring.column(0, 1000)).containsExactly(0, 0, 7);
    }
}
