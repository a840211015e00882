package io.webproxy.testing;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

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
            "Common-Cleaner|Cleaner-.*|Reference Handler|Finalizer|Signal Dispatcher|Attach Listener|Notification Thread",
            "awaitility.*",
            "surefire.*",
            "junit-.*",
            "process reaper.*",
            "logback.*",
            "HttpClient-.*",
            "Keep-Alive-Timer",
            "(C[12] CompilerThread|GC Thread|G1 ).*"));

    static LiveThreads now() {
        return new LiveThreads(Thread.getAllStackTraces().keySet());
    }

    /** The threads that live now and did not then, each in one line. */
    List<String> newSince() {
        return Thread.getAllStackTraces().entrySet().stream()
                .filter(e -> e.getKey().isAlive())
                .filter(e -> !threads.contains(e.getKey()))
                .filter(e -> !ALLOWED.matcher(e.getKey().getName()).matches())
                .map(e -> describe(e.getKey(), e.getValue()))
                .sorted()
                .toList();
    }

    private static String describe(Thread thread, StackTraceElement[] stack) {
        String where = Arrays.stream(stack).limit(6).map(Object::toString).collect(Collectors.joining(" < "));
        return "thread \"" + thread.getName() + "\" (" + (thread.isDaemon() ? "daemon, " : "") + thread.getState()
                + ") at " + where;
    }
}
