package io.webproxy.undertow.testing;

import static org.awaitility.Awaitility.await;

import io.webproxy.undertow.deadline.Sweeper;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * A monotonic clock that stands still until a test turns it, for a server with one IO thread. It knows of the sweeps of
 * that thread, which come as long as an exchange runs: so it is turned while one does.
 */
public final class TestClock implements LongSupplier {
    private static final StackWalker CALLERS = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

    private final AtomicLong now = new AtomicLong(System.nanoTime());
    private final AtomicInteger sweeps = new AtomicInteger();
    private volatile Set<String> failing = Set.of();

    @Override
    public long getAsLong() {
        boolean swept = CALLERS.walk(frames -> frames.limit(4)
                .anyMatch(frame -> frame.getDeclaringClass() == Sweeper.class
                        && frame.getMethodName().equals("sweep")));
        if (swept) {
            sweeps.incrementAndGet();
        }
        if (!failing.isEmpty() && callers().containsAll(failing)) {
            failing = Set.of();
            throw new StackOverflowError("a clock that fails once");
        }
        return now.get();
    }

    private static Set<String> callers() {
        return CALLERS.walk(
                frames -> frames.map(StackWalker.StackFrame::getMethodName).collect(Collectors.toSet()));
    }

    /** Throws an Error once, when methods of all these names have called it: for what nothing foresees. */
    public void failOnce(String... methods) {
        failing = Set.of(methods);
    }

    /** It is later by so much at once, whether an exchange runs or not. */
    public void skip(Duration time) {
        now.addAndGet(time.toNanos());
    }

    /** It is later by so much, after the IO thread has done all that it had begun. */
    public void pass(Duration time) {
        awaitSweeps(1);
        now.addAndGet(time.toNanos());
    }

    /** The same; returns when everything has been looked at since. */
    public void passAndLook(Duration time) {
        pass(time);
        // the first has ended when the second starts
        awaitSweeps(2);
    }

    /**
     * Time runs, about ten times as fast as it does, until this is so: for what a limit ends some time after another.
     */
    public void runUntil(BooleanSupplier done) {
        await().until(() -> {
            if (!done.getAsBoolean()) {
                skip(Duration.ofMillis(100));
            }
            return done.getAsBoolean();
        });
    }

    /** Returns when there have been so many more sweeps: there must be an exchange. */
    public void awaitSweeps(int more) {
        int before = sweeps.get();
        await().until(() -> sweeps.get() - before >= more);
    }
}
