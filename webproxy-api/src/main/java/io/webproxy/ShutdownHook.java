package io.webproxy;

import org.jspecify.annotations.Nullable;

/** Closes a server when the JVM ends, while it is switched on. Thread-safe. */
final class ShutdownHook {
    private final Runnable close;
    private @Nullable Thread thread;
    private boolean removed;

    ShutdownHook(Runnable close) {
        this.close = close;
    }

    /** Whether there is one from now on. */
    synchronized void set(boolean wanted) {
        if (wanted && thread == null && !removed) {
            Thread hook = new Thread(close, "webproxy-shutdown");
            try {
                Runtime.getRuntime().addShutdownHook(hook);
                thread = hook;
            } catch (IllegalStateException e) {
                // the JVM is ending already
            }
        } else if (!wanted) {
            unhook();
        }
    }

    /** The server is closed: there is none any more. */
    synchronized void remove() {
        removed = true;
        unhook();
    }

    private void unhook() {
        if (thread != null) {
            try {
                Runtime.getRuntime().removeShutdownHook(thread);
            } catch (IllegalStateException e) {
                // it is this hook that closes the server
            }
            thread = null;
        }
    }
}
