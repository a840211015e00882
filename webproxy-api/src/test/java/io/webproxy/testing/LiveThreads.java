package io.webproxy.testing;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The platform threads that live at one moment. */
record LiveThreads(Set<Thread> threads) {
    /** Threads of the JVM and of test libraries, which come once and stay, or go when they have been idle. */
    private static final Pattern ALLOWED = Pattern.compile(String.join(
            "|",
            "OkHttp .*",
            "Okio Watchdog",
            "MockWebServer.*",
            "ForkJoinPool\\.commonPool-.*",
            "ForkJoinPool-1-worker-.*|VirtualThread-unparker.*",
            "Common-Cleaner|Cleaner-.*|Reference Handler|Finalizer|Signal Dispatcher|Attach Listener|Notification"
                    + " Thread",
            "awaitility.*",
            "surefire.*",
            "junit-.*",
            "process reaper.*",
            "logback.*",
            "HttpClient-.*",
            "Keep-Alive-Timer",
            "(C[12] CompilerThread|GC Thread|G1 ).*"));

    static LiveThreads now() {
        return new LiveThreads(Set.copyOf(live()));
    }

    /** Whether a thread lives now that did not then. */
    boolean hasNewSince() {
        return startedSince().findAny().isPresent();
    }

    /** The threads that live now and did not then, each in one line. */
    List<String> newSince() {
        return startedSince()
                .map(thread -> describe(thread, thread.getStackTrace()))
                .sorted()
                .toList();
    }

    private Stream<Thread> startedSince() {
        return live().stream()
                .filter(Thread::isAlive)
                .filter(thread -> !threads.contains(thread))
                .filter(thread -> !ALLOWED.matcher(thread.getName()).matches());
    }

    /** Without their stacks, for which the JVM stops all of them. */
    private static List<Thread> live() {
        ThreadGroup all = Thread.currentThread().getThreadGroup();
        while (all.getParent() != null) {
            all = all.getParent();
        }
        Thread[] found = new Thread[64];
        int count = all.enumerate(found);
        while (count == found.length) {
            found = new Thread[2 * found.length];
            count = all.enumerate(found);
        }
        return List.of(Arrays.copyOf(found, count));
    }

    private static String describe(Thread thread, StackTraceElement[] stack) {
        String where = Arrays.stream(stack).limit(6).map(Object::toString).collect(Collectors.joining(" < "));
        return "thread \"" + thread.getName() + "\" (" + (thread.isDaemon() ? "daemon, " : "") + thread.getState()
                + ") at " + where;
    }
}
