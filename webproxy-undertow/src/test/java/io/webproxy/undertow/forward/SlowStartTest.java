package io.webproxy.undertow.forward;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SlowStartTest {
    private static final long S = TimeUnit.SECONDS.toNanos(1);

    private final SlowStart start = new SlowStart(10 * S);

    private int admitted(long now) {
        int admitted = 0;
        for (int i = 0; i < 1000; i++) {
            admitted += start.admits(now) ? 1 : 0;
        }
        return admitted;
    }

    @ParameterizedTest
    @CsvSource({"0, 100", "1, 100", "2, 200", "5, 500", "9, 900", "10, 1000", "1000, 1000"})
    void shareGrowsFromATenthToAll(long seconds, int share) {
        start.begin(0);
        assertThat(admitted(seconds * S)).isBetween(share - 1, share + 1);
    }

    @Test
    void oneThatWasNeverOutHasItsWholeShare() {
        start.saw(true, 0);
        assertThat(admitted(0)).isEqualTo(1000);
        assertThat(start.counted(7, 0)).isEqualTo(7);
    }

    @Test
    void itBeginsWhenTheUpstreamIsBack() {
        start.saw(false, 0);
        start.saw(false, 50 * S);
        start.saw(true, 60 * S);
        start.saw(true, 61 * S);
        assertThat(admitted(60 * S)).isBetween(99, 101);
        start.saw(false, 65 * S);
        start.saw(true, 70 * S);
        assertThat(admitted(70 * S)).isBetween(99, 101);
    }

    @Test
    void requestsInFlightCountForMore() {
        start.begin(0);
        assertThat(start.counted(0, 0)).isEqualTo(9);
        assertThat(start.counted(1, 5 * S)).isEqualTo(3);
        assertThat(start.counted(Integer.MAX_VALUE, 0)).isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void admissionsAreSpreadEvenly() {
        start.begin(0);
        StringBuilder turns = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            turns.append(start.admits(5 * S) ? '1' : '0');
        }
        assertThat(turns).hasToString("01010101");
    }
}
