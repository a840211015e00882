package io.webproxy.undertow.forward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LatencyTest {
    private static final long MS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long S = TimeUnit.SECONDS.toNanos(1);

    private final Latency latency = new Latency();

    private double cost(long now) {
        return latency.cost(0, S, now) / MS;
    }

    private void served(long millis, long now) {
        latency.responded(millis * MS, now);
        latency.succeeded();
    }

    @Test
    void slowResponseCountsAtOnceAndQuickOnesByAndBy() {
        served(10, 0);
        served(500, 0);
        assertThat(cost(0)).isEqualTo(500);
        served(10, 10 * S);
        // 1/e of what was
        assertThat(cost(10 * S)).isCloseTo(190, within(1.0));
        for (int i = 11; i <= 60; i++) {
            served(10, i * S);
        }
        assertThat(cost(60 * S)).isCloseTo(11, within(1.5));
    }

    @Test
    void requestsInFlightMultiply() {
        served(10, 0);
        assertThat(latency.cost(3, S, 0)).isEqualTo(4 * latency.cost(0, S, 0));
    }

    @Test
    void unknownOneIsTriedByOneRequestAtATime() {
        assertThat(cost(0)).isZero();
        latency.chosen(0);
        assertThat(cost(0)).isGreaterThan(100_000);
        assertThat(cost(10 * S)).isZero();
        latency.chosen(10 * S);
        served(20, 11 * S);
        assertThat(cost(11 * S)).isEqualTo(20);
    }

    @Test
    void slowOneIsTriedAgainByOneRequest() {
        served(1000, 0);
        assertThat(cost(50 * S)).isLessThan(10);
        latency.chosen(50 * S);
        assertThat(cost(50 * S)).isEqualTo(1000);
    }

    @Test
    void eachFailureInARowDoublesAndASuccessForgetsThem() {
        served(10, 0);
        latency.failed(0);
        assertThat(cost(0)).isEqualTo(20);
        latency.failed(0);
        latency.failed(0);
        assertThat(cost(0)).isEqualTo(80);
        latency.succeeded();
        assertThat(cost(0)).isEqualTo(10);
    }

    @Test
    void oneThatHasOnlyFailedIsNoBetterThanTheWorst() {
        latency.chosen(0);
        latency.failed(0);
        assertThat(cost(0)).isEqualTo(2000);
        // and is tried again, once
        assertThat(cost(60 * S)).isLessThan(10);
        latency.chosen(60 * S);
        assertThat(cost(60 * S)).isGreaterThan(900);
    }

    @Test
    void waitingThatEndsWithoutAResponseCountsWhereItWasLonger() {
        served(100, 0);
        latency.waited(10 * MS, 0);
        assertThat(cost(0)).isEqualTo(100);
        latency.waited(5 * S, 0);
        assertThat(cost(0)).isEqualTo(5000);
    }

    @Test
    void clockThatStandsStillOrTurnsOverIsNoProblem() {
        long late = Long.MAX_VALUE - 5;
        served(10, late);
        served(5, late + 10);
        assertThat(latency.cost(0, S, late + 10)).isFinite().isPositive();
    }
}
