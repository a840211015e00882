package io.webproxy.undertow.deadline;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class CloseStepsTest {
    @Test
    @ExpectedLog(logger = "io.webproxy.server", contains = "closed all the same: ports, pools")
    void everyStepIsTakenAndWhatFailedIsNamedOnce() {
        List<Integer> taken = new ArrayList<>();
        CloseSteps steps = new CloseSteps()
                .each("ports", List.of(1, 2, 3), port -> {
                    taken.add(port);
                    throw new NoClassDefFoundError("port " + port);
                })
                .step("pools", () -> {
                    taken.add(4);
                    throw new StackOverflowError();
                })
                .step("threads", () -> taken.add(5));
        assertThat(taken).containsExactly(1, 2, 3, 4, 5);
        assertThat(steps.succeeded()).isFalse();
        steps.report();
    }

    @Test
    void stepsThatSucceedSayNothing() {
        CloseSteps steps = new CloseSteps().step("ports", () -> {});
        assertThat(steps.succeeded()).isTrue();
        steps.report();
    }
}
