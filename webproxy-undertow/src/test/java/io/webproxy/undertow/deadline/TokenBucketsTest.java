package io.webproxy.undertow.deadline;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.spi.AddressRange;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TokenBucketsTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final TokenBuckets<AddressRange> rate = new TokenBuckets<>();
    private final AddressRange client = AddressRange.of("192.0.2.1");

    @Test
    void asManyAsAMinuteHasAreTakenAtOnceThenOneAsEachIsDue() {
        for (int i = 0; i < 6; i++) {
            assertThat(rate.takeOfMinute(client, 6, -5 * SECOND)).isTrue();
        }
        assertThat(rate.takeOfMinute(client, 6, -5 * SECOND)).isFalse();
        assertThat(rate.takeOfMinute(client, 6, 5 * SECOND - 1)).isFalse();
        assertThat(rate.takeOfMinute(client, 6, 5 * SECOND)).isTrue();
        assertThat(rate.takeOfMinute(client, 6, 5 * SECOND)).isFalse();
        assertThat(rate.takeOfMinute(AddressRange.of("192.0.2.2"), 6, 5 * SECOND))
                .isTrue();
    }

    @Test
    void oneThatIsRefusedTakesNothing() {
        assertThat(rate.takeOfMinute(client, 1, 0)).isTrue();
        for (int i = 1; i < 60; i++) {
            assertThat(rate.takeOfMinute(client, 1, i * SECOND)).isFalse();
        }
        assertThat(rate.takeOfMinute(client, 1, 60 * SECOND)).isTrue();
    }

    @Test
    void tokenThatIsGivenBackCanBeTakenAgainAndNoMore() {
        rate.giveBack(client, SECOND);
        for (int i = 0; i < 10; i++) {
            assertThat(rate.take(client, 10, SECOND, 0)).isZero();
        }
        assertThat(rate.take(client, 10, SECOND, 0)).isEqualTo(SECOND);
        rate.giveBack(client, SECOND);
        assertThat(rate.take(client, 10, SECOND, 0)).isZero();
        assertThat(rate.take(client, 10, SECOND, 0)).isEqualTo(SECOND);
        rate.giveBack(AddressRange.of("192.0.2.2"), SECOND);
    }

    /** More addresses than are remembered: those that were seen least recently start anew. */
    @Test
    void manyAddressesTakeNoMoreMemoryThanSome() {
        assertThat(rate.takeOfMinute(client, 1, 0)).isTrue();
        for (int i = 0; i < 100_000; i++) {
            assertThat(rate.takeOfMinute(
                            AddressRange.of("10." + (i >> 16) + "." + (i >> 8 & 255) + "." + (i & 255)), 1, 0))
                    .isTrue();
        }
        assertThat(rate.takeOfMinute(client, 1, 0)).isTrue();
        assertThat(rate.takeOfMinute(AddressRange.of("10.1.134.159"), 1, 0)).isFalse();
    }
}
