package io.webproxy.undertow.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Who is taken for dead on a control channel, and when. */
class HeartbeatTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final Heartbeat heartbeat = new Heartbeat();

    @Test
    void silentPeerIsGivenUpAfterTwoHeartbeats() {
        heartbeat.start(0);
        assertThat(heartbeat.deadline(0)).isEqualTo(10 * SECOND);
        heartbeat.next(10 * SECOND);
        heartbeat.next(20 * SECOND);
        assertThat(heartbeat.deadline(0)).isEqualTo(21 * SECOND);
        assertThat(heartbeat.isSilent(0, 21 * SECOND - 1)).isFalse();
        assertThat(heartbeat.isSilent(0, 21 * SECOND)).isTrue();
    }

    @Test
    void peerThatSpeaksAndAnswersNothingIsGivenUpToo() {
        heartbeat.start(0);
        heartbeat.next(10 * SECOND);
        heartbeat.next(20 * SECOND);
        heartbeat.next(30 * SECOND);
        assertThat(heartbeat.deadline(30 * SECOND)).isEqualTo(31 * SECOND);
        assertThat(heartbeat.isUnanswered(31 * SECOND - 1)).isFalse();
        assertThat(heartbeat.isUnanswered(31 * SECOND)).isTrue();
    }

    @Test
    void numbersThatAPeerHasNotReadAnswerNothing() {
        heartbeat.start(0);
        long first = heartbeat.next(10 * SECOND);
        for (long guess = -1000; guess < 1000; guess++) {
            heartbeat.answered(guess);
            heartbeat.answered(first + guess + (guess == 0 ? 1 : 0));
        }
        assertThat(heartbeat.isUnanswered(31 * SECOND)).isTrue();
    }

    @Test
    void peerThatAnswersLateIsKept() {
        heartbeat.start(0);
        long before = heartbeat.next(10 * SECOND);
        for (long second = 20; second < 200; second += 10) {
            long next = heartbeat.next(second * SECOND);
            heartbeat.answered(before);
            assertThat(heartbeat.isUnanswered((second + 10) * SECOND)).isFalse();
            before = next;
        }
        heartbeat.answered(before);
        assertThat(heartbeat.deadline(1000 * SECOND))
                .as("only the next one is due")
                .isEqualTo(200 * SECOND);
    }

    @Test
    void answerThatIsGivenAgainCountsOnce() {
        heartbeat.start(0);
        long first = heartbeat.next(10 * SECOND);
        heartbeat.answered(first);
        heartbeat.next(20 * SECOND);
        heartbeat.next(30 * SECOND);
        heartbeat.answered(first);
        assertThat(heartbeat.isUnanswered(41 * SECOND)).isTrue();
    }
}
