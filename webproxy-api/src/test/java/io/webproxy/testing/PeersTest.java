package io.webproxy.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.opentest4j.AssertionFailedError;
import org.opentest4j.TestAbortedException;

@ExtendWith(LeakCheck.class)
class PeersTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    @Test
    void runGivesExitCodeAndBothOutputs() throws Exception {
        assertThat(Peers.run(LIMIT, "sh", "-c", "cat; echo out; echo err >&2; exit 7"))
                .isEqualTo(new Peers.Outcome(7, "out\n", "err\n"));
    }

    @Test
    void programThatDoesNotEndIsKilledWithItsChildren() {
        long start = System.nanoTime();

        assertThatThrownBy(() -> Peers.run(Duration.ofMillis(300), "sh", "-c", "echo $$; sleep 4711 & wait"))
                .isInstanceOf(AssertionFailedError.class)
                .hasMessageContaining("still running after PT0.3S");

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(LIMIT);
        assertThat(ProcessHandle.current().descendants().filter(ProcessHandle::isAlive))
                .isEmpty();
    }

    @Test
    void missingToolFailsWherePeersAreRequiredAndAbortsElsewhere() {
        assertThatThrownBy(() -> Peers.require("no-such-tool", true))
                .isInstanceOf(AssertionFailedError.class)
                .hasMessageContaining("no-such-tool");
        assertThatThrownBy(() -> Peers.require("no-such-tool", false)).isInstanceOf(TestAbortedException.class);
    }
}
