package io.webproxy.undertow.deadline;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/** Makes daemon threads for work that may block. */
public final class Daemons {
    private Daemons() {}

    /** A daemon thread, not started. */
    public static Thread thread(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }

    /** Makes daemon threads of one name. */
    public static ThreadFactory named(String name) {
        return task -> thread(name, task);
    }

    /** Makes daemon threads of one name, numbered from 1. */
    public static ThreadFactory numbered(String name) {
        AtomicInteger made = new AtomicInteger();
        return task -> thread(name + "-" + made.incrementAndGet(), task);
    }
}
