package io.webproxy.undertow.deadline;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(LeakCheck.class)
class GuardTest {
    private final List<String> events = new ArrayList<>();

    @BeforeEach
    void forget() {
        Faults.reset();
    }

    @ParameterizedTest
    @ValueSource(
            classes = {
                IllegalStateException.class,
                AssertionError.class,
                NoClassDefFoundError.class,
                StackOverflowError.class,
                InternalError.class,
                OutOfMemoryError.class
            })
    @ExpectedLog(contains = "Unexpected failure in a test")
    void whateverIsThrownEndsTheStepOnly(Class<? extends Throwable> thrown) {
        Guard.run(
                "a test",
                () -> {
                    throwAny(thrown);
                    events.add("went on");
                },
                () -> {
                    events.add("closed");
                    throwAny(thrown);
                });
        assertThat(events).containsExactly("closed");
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> void throwAny(Class<? extends Throwable> type) throws T {
        try {
            throw (T) type.getDeclaredConstructor().newInstance();
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException(e);
        }
    }

    @Test
    void goodStepIsNotClosed() {
        Guard.run("a test", () -> events.add("ran"), () -> events.add("closed"));
        assertThat(events).containsExactly("ran");
    }
}
