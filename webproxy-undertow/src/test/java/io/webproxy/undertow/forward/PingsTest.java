package io.webproxy.undertow.forward;

import static io.webproxy.undertow.forward.Pings.Due.GONE;
import static io.webproxy.undertow.forward.Pings.Due.NOTHING;
import static io.webproxy.undertow.forward.Pings.Due.PING;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Also where the clock runs over the largest number. */
class PingsTest {
    private static final long SILENCE = 100;

    @ParameterizedTest
    @ValueSource(longs = {0, 5, Long.MAX_VALUE - 150, Long.MIN_VALUE, -150})
    void silentClientIsPingedOnceAndThenTakenForGone(long start) {
        Pings pings = new Pings(SILENCE, start);

        assertThat(pings.look(start)).isEqualTo(NOTHING);
        assertThat(pings.look(start + 99)).isEqualTo(NOTHING);
        assertThat(pings.look(start + 100)).isEqualTo(PING);
        assertThat(pings.look(start + 100)).isEqualTo(NOTHING);
        assertThat(pings.look(start + 199)).isEqualTo(NOTHING);
        assertThat(pings.look(start + 200)).isEqualTo(GONE);
        assertThat(pings.look(start + 1000)).as("until somebody acts").isEqualTo(GONE);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Long.MAX_VALUE - 50})
    void clientThatSendsIsNotPinged(long start) {
        Pings pings = new Pings(SILENCE, start);
        for (int i = 1; i <= 20; i++) {
            assertThat(pings.look(start + i * 99L)).isEqualTo(NOTHING);
            pings.heard(start + i * 99L);
        }
        assertThat(pings.look(start + 20 * 99 + 99)).isEqualTo(NOTHING);
        assertThat(pings.look(start + 20 * 99 + 100)).isEqualTo(PING);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Long.MAX_VALUE - 250})
    void answerStartsTheSilenceAnew(long start) {
        Pings pings = new Pings(SILENCE, start);
        assertThat(pings.look(start + 100)).isEqualTo(PING);
        pings.heard(start + 199);

        assertThat(pings.look(start + 200)).isEqualTo(NOTHING);
        assertThat(pings.look(start + 298)).isEqualTo(NOTHING);
        assertThat(pings.look(start + 299)).isEqualTo(PING);
        assertThat(pings.look(start + 398)).isEqualTo(NOTHING);
        assertThat(pings.look(start + 399)).isEqualTo(GONE);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Long.MAX_VALUE - 250})
    void clientThatTakesBytesIsNotGone(long start) {
        Pings pings = new Pings(SILENCE, start);
        assertThat(pings.look(start + 100)).isEqualTo(PING);
        pings.taken(start + 150);
        assertThat(pings.look(start + 200)).isEqualTo(NOTHING);
        pings.taken(start + 249);
        assertThat(pings.look(start + 348)).isEqualTo(NOTHING);
        assertThat(pings.look(start + 349)).isEqualTo(GONE);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Long.MAX_VALUE - 150})
    void clientThatOnlyTakesIsPingedAllTheSame(long start) {
        Pings pings = new Pings(SILENCE, start);
        pings.taken(start + 99);

        assertThat(pings.look(start + 100)).as("it has sent nothing").isEqualTo(PING);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Long.MAX_VALUE - 150})
    void whatWasTakenBeforeThePingDoesNotShortenTheWaitForItsAnswer(long start) {
        Pings pings = new Pings(SILENCE, start);
        pings.taken(start + 10);
        assertThat(pings.look(start + 500)).isEqualTo(PING);
        assertThat(pings.look(start + 599)).isEqualTo(NOTHING);
        assertThat(pings.look(start + 600)).isEqualTo(GONE);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Long.MAX_VALUE - 150})
    void eachConnectionHasATokenOfItsOwnThatStays(long start) {
        Pings pings = new Pings(SILENCE, start);
        long token = pings.token();
        pings.look(start + 100);
        pings.heard(start + 110);

        assertThat(pings.token()).isEqualTo(token);
        assertThat(new Pings(SILENCE, start).token()).isNotEqualTo(token);
    }
}
