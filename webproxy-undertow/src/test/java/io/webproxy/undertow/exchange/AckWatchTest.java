package io.webproxy.undertow.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class AckWatchTest {
    private static final long LIMIT = TimeUnit.SECONDS.toNanos(16);
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final AckWatch watch = new AckWatch();
    private long now = Long.MAX_VALUE - SECOND; // the clock may wrap

    private boolean look(long sent, int times, long later) {
        now += later;
        assertThat(watch.asks(now, sent)).isTrue();
        return watch.answered(now, times, LIMIT);
    }

    @Test
    void peerThatNeverAnswersIsGivenUpAfterTheLimit() {
        assertThat(look(10, 0, 0)).isFalse();
        assertThat(look(20, 2, 2 * SECOND)).isFalse();
        assertThat(look(30, 5, 15 * SECOND)).isFalse();
        assertThat(look(30, 5, 2 * SECOND)).as("without more bytes too").isTrue();
    }

    @Test
    void whatArrivesAtLastCounts() {
        assertThat(look(10, 3, 0)).isFalse();
        assertThat(look(20, 0, 10 * SECOND)).isFalse();
        assertThat(look(30, 1, 10 * SECOND)).isFalse();
        assertThat(look(40, 4, 10 * SECOND)).isFalse();
        assertThat(look(50, 1, 5 * SECOND)).as("another loss").isFalse();
        assertThat(look(60, 6, 15 * SECOND)).isFalse();
        assertThat(look(60, 6, SECOND * 2)).isTrue();
    }

    @Test
    void isNotAskedWhileNothingIsSentOrTooSoon() {
        assertThat(look(10, 0, 0)).isFalse();
        assertThat(watch.asks(now + 100 * SECOND, 10)).isFalse();
        assertThat(watch.asks(now + SECOND, 11)).isFalse();
        assertThat(watch.asks(now + 2 * SECOND, 11)).isTrue();
        assertThat(watch.asks(now + 20 * SECOND, 12))
                .as("the answer is awaited")
                .isFalse();
    }
}
