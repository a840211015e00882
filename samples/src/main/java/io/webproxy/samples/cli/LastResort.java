package io.webproxy.samples.cli;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ends the JVM if an orderly end takes too long, or when a second signal arrives. Its thread is started early, because
 * a JVM without memory can't start another one.
 */
final class LastResort implements AutoCloseable {
    private static final int FAILED = 1;
    /** Added to the signal's number, as shells report a process that a signal has ended. */
    private static final int SIGNALLED = 128;

    private final CountDownLatch ending = new CountDownLatch(1);
    private final Duration limit;
    private final Thread thread;

    /** {@code limit}: how long the orderly end may take. */
    LastResort(Duration limit) {
        this.limit = limit;
        this.thread = new Thread(this::await, "webproxy-last-resort");
        thread.setDaemon(true);
        thread.start();
    }

    /** It isn't needed: the server has stopped, and the JVM may go on. */
    @Override
    public void close() {
        thread.interrupt();
    }

    private void await() {
        try {
            ending.await();
            TimeUnit.NANOSECONDS.sleep(limit.toNanos());
            Runtime.getRuntime().halt(FAILED);
        } catch (InterruptedException e) {
            // closed
        }
    }

    /** The orderly end begins. */
    void ending() {
        ending.countDown();
    }

    /** From now on a signal ends the JVM at once, with 143 for SIGTERM and 130 for SIGINT. */
    static void onNextSignal() {
        for (String name : List.of("TERM", "INT")) {
            // without signals only the time limit ends it
            Signals.handle(name, number -> Runtime.getRuntime().halt(SIGNALLED + number));
        }
    }
}
