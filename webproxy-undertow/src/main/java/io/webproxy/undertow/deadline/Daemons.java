package io.webproxy.undertow.deadline;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/** Threads beside the IO threads, for what may block. None of them keeps the JVM alive. */
public final class Daemons {
    private Daemons() {}

    /** One that isn't started yet. */
    public static Thread thread(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }

    /** Makes threads that all have one name. */
    public static ThreadFactory named(String name) {
        return task -> thread(name, task);
    }

    /** Makes threads of one name that are numbered, from 1. */
    public static ThreadFactory numbered(String name) {
        AtomicInteger made = new AtomicInteger();
        return task -> thread(name + "-" + made.incrementAndGet(), task);
    }
}
