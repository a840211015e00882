package io.webproxy.undertow.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** When a lost public server is dialled again. */
class BackOffTest {
    private static long[] ofAgents(int count, int failures) {
        Random random = new Random(7);
        long[] rests = new long[count];
        Arrays.setAll(rests, agent -> BackOff.millis(failures, random));
        return rests;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 5, 40, Integer.MAX_VALUE})
    void restsAreBetweenAQuarterOfASecondAndThreeSeconds(int failures) {
        assertThat(Arrays.stream(ofAgents(10_000, failures))).allMatch(rest -> rest >= 250 && rest <= 3_000);
    }

    @ParameterizedTest
    @CsvSource({"0, 250, 750", "1, 500, 1500", "2, 1000, 3000", "9, 1000, 3000"})
    void restsGrowWithFailures(int failures, long shortest, long longest) {
        assertThat(Arrays.stream(ofAgents(10_000, failures))).allMatch(rest -> rest >= shortest && rest <= longest);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 9})
    void agentsThatALostServerHadDoNotComeBackAtOnce(int failures) {
        long[] rests = ofAgents(1_000, failures);
        Arrays.sort(rests);
        int most = 0;
        for (int from = 0, to = 0; to < rests.length; to++) {
            while (rests[to] - rests[from] > 50) {
                from++;
            }
            most = Math.max(most, to - from + 1);
        }
        assertThat(most).as("within 50 ms").isLessThan(160);
    }

    @Test
    void theFirstRestIsShortOnAverage() {
        assertThat(Arrays.stream(ofAgents(1_000, 0)).average().orElseThrow()).isBetween(450.0, 550.0);
    }
}
