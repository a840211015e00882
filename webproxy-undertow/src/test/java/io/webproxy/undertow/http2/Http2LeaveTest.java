package io.webproxy.undertow.http2;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class Http2LeaveTest {
    private static final long STRANGE = 0;

    private final List<String> log = new ArrayList<>();
    private boolean started = true;
    private boolean idle;
    private long asked = STRANGE;

    private final Http2Leave leave = new Http2Leave(new Http2Leave.Connection() {
        @Override
        public boolean isStarted() {
            return started;
        }

        @Override
        public boolean isIdle() {
            return idle;
        }

        @Override
        public void announce(long ping) {
            asked = ping;
            log.add("announce");
        }

        @Override
        public void refuse() {
            log.add("refuse");
        }

        @Override
        public void end() {
            log.add("end");
        }
    });

    private static long millis(long count) {
        return TimeUnit.MILLISECONDS.toNanos(count);
    }

    @Test
    void pongOfItsOwnPingIsTheRoundTrip() {
        leave.start(0);
        leave.pong(STRANGE, millis(1));
        leave.look(millis(900));
        assertThat(log).containsExactly("announce");
        leave.pong(asked, millis(901));
        assertThat(log).containsExactly("announce", "refuse");
        leave.pong(asked, millis(902));
        leave.start(millis(903));
        leave.look(millis(100_000));
        assertThat(log).containsExactly("announce", "refuse");
        idle = true;
        leave.look(millis(100_001));
        leave.look(millis(100_002));
        assertThat(log).containsExactly("announce", "refuse", "end");
    }

    @Test
    void clientThatLeavesByItselfIsWaitedForAndRefusedNothing() {
        leave.clientLeaves();
        leave.look(millis(100_000));
        assertThat(leave.isStarted()).isFalse();
        assertThat(log).isEmpty();
        idle = true;
        leave.look(millis(100_001));
        leave.look(millis(100_002));
        assertThat(log).containsExactly("end");
    }

    @Test
    void clientThatAnswersNoPingIsRefusedLater() {
        leave.start(0);
        leave.look(millis(1_001));
        assertThat(log).containsExactly("announce", "refuse");
    }

    @Test
    void whatIsIdleBehindTheRoundTripEndsAtOnce() {
        idle = true;
        leave.start(0);
        leave.look(millis(500));
        assertThat(log).containsExactly("announce");
        leave.pong(asked, millis(501));
        assertThat(log).containsExactly("announce", "end");
    }

    @Test
    void nothingIsSentBeforeTheSettings() {
        started = false;
        leave.start(0);
        leave.look(millis(900));
        assertThat(log).isEmpty();
        started = true;
        leave.look(millis(950));
        assertThat(log).containsExactly("announce");
        leave.look(millis(1_949));
        assertThat(log).containsExactly("announce");
    }

    @Test
    void clientThatNeverStartsIsNotWaitedFor() {
        started = false;
        leave.start(0);
        leave.look(millis(1_001));
        leave.look(millis(1_002));
        assertThat(log).containsExactly("end");
    }
}
