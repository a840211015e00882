package io.webproxy;

import org.jspecify.annotations.Nullable;

/** Closes a server when the JVM ends, if switched on. Thread-safe. */
final class ShutdownHook {
    private final Runnable close;
    private @Nullable Thread thread;
    private boolean removed;

    ShutdownHook(Runnable close) {
        this.close = close;
    }

    /** Switches the hook on or off. */
    synchronized void set(boolean wanted) {
        if (wanted && thread == null && !removed) {
            Thread hook = new Thread(close, "webproxy-shutdown");
            try {
                Runtime.getRuntime().addShutdownHook(hook);
                thread = hook;
            } catch (IllegalStateException e) {
                // the JVM is already ending
            }
        } else if (!wanted) {
            unhook();
        }
    }

    /** The server is closed: removes the hook. */
    synchronized void remove() {
        removed = true;
        unhook();
    }

    private void unhook() {
        if (thread != null) {
            try {
                Runtime.getRuntime().removeShutdownHook(thread);
            } catch (IllegalStateException e) {
                // this hook itself closes the server
            }
            thread = null;
        }
    }
}
