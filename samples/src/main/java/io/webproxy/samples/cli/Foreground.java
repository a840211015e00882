package io.webproxy.samples.cli;

import java.io.PrintWriter;

/**
 * Serves until a signal ends the JVM, which is a success here: what serves is stopped first, then the exit status is 0. An
 * interrupt of the serving thread ends it as well.
 */
final class Foreground {
    private Foreground() {}

    /** Waits for the end of what serves. */
    @FunctionalInterface
    interface Wait {
        void await() throws InterruptedException;
    }

    /**
     * Says that it serves and returns when it doesn't any more.
     *
     * @param stop ends what serves and returns when that is done; idempotent
     * @param end returns when it is stopped
     * @return the exit status
     */
    static int serve(PrintWriter out, String uri, Runnable stop, Wait end) {
        // Without the halt the JVM would say which signal ended it: 143.
        Thread hook = new Thread(
                () -> {
                    stop.run();
                    Runtime.getRuntime().halt(0);
                },
                "webproxy-stop");
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            out.println("ready " + uri);
            out.flush();
            end.await();
        } catch (InterruptedException e) {
            stop.run();
        }
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The hook is running: it ends the JVM.
            return 0;
        }
        return 0;
    }
}
