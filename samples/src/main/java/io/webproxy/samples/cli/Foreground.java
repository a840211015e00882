package io.webproxy.samples.cli;

import java.io.PrintWriter;
import java.time.Duration;

/**
 * Serves until a signal ends the JVM, which is a success: the server is stopped first, then the exit status is 0. A
 * second signal ends it at once. An interrupt of the serving thread ends it too.
 */
final class Foreground {
    /** How long a stop may take in addition to the drain time. */
    private static final Duration AFTER_DRAIN = Duration.ofSeconds(15);

    private Foreground() {}

    /** Waits for the end of the server. */
    @FunctionalInterface
    interface Wait {
        void await() throws InterruptedException;
    }

    /**
     * Prints that it is ready, and returns when the server has stopped.
     *
     * @param ready runs after that
     * @param stop stops the server and returns when that is done; idempotent
     * @param drainTime how long the stop may wait for what is in flight
     * @param end returns when the server has stopped
     * @return the exit status
     */
    static int serve(PrintWriter out, String uri, Runnable ready, Runnable stop, Duration drainTime, Wait end) {
        LastResort last = new LastResort(drainTime.plus(AFTER_DRAIN));
        Thread hook = new Thread(
                () -> {
                    // without the halt the JVM's status would show the signal: 143
                    int status = 1;
                    try {
                        last.ending();
                        LastResort.onNextSignal();
                        stop.run();
                        status = 0;
                    } finally {
                        Runtime.getRuntime().halt(status);
                    }
                },
                "webproxy-stop");
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            out.println("ready " + uri);
            out.flush();
            ready.run();
            end.await();
        } catch (InterruptedException e) {
            stop.run();
        }
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
            last.close();
        } catch (IllegalStateException e) {
            // the hook is running: it ends the JVM
            return 0;
        }
        return 0;
    }
}
