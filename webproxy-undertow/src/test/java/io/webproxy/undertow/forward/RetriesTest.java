package io.webproxy.undertow.forward;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.spi.RetryBudget;
import org.junit.jupiter.api.Test;

class RetriesTest {
    private static int taken(Retries retries) {
        int taken = 0;
        while (retries.take()) {
            taken++;
        }
        return taken;
    }

    @Test
    void requestEarnsItsShare() {
        Retries retries = new Retries(RetryBudget.defaults().withReserve(3));
        assertThat(taken(retries)).isEqualTo(3);
        for (int i = 0; i < 4; i++) {
            retries.earn();
        }
        assertThat(taken(retries)).isZero();
        retries.earn();
        assertThat(taken(retries)).isEqualTo(1);
    }

    @Test
    void noMoreThanTenReservesAreEarned() {
        Retries retries = new Retries(RetryBudget.defaults().withShare(1).withReserve(3));
        for (int i = 0; i < 1000; i++) {
            retries.earn();
        }
        assertThat(taken(retries)).isEqualTo(30);
    }

    @Test
    void shareWithoutAReserveIsEarnedAllTheSame() {
        Retries retries = new Retries(RetryBudget.none().withShare(0.5));
        assertThat(taken(retries)).isZero();
        for (int i = 0; i < 100; i++) {
            retries.earn();
        }
        assertThat(taken(retries)).isEqualTo(10);
    }

    @Test
    void noneIsNone() {
        Retries retries = new Retries(RetryBudget.none());
        for (int i = 0; i < 100; i++) {
            retries.earn();
        }
        assertThat(retries.take()).isFalse();
    }
}
