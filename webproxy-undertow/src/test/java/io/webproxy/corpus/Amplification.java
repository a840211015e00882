package io.webproxy.corpus;

import com.sun.management.ThreadMXBean;
import io.webproxy.undertow.testing.Front;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/**
 * Measures what each case of the corpus costs the proxy's IO thread, in processor time and in allocated bytes, beside a
 * plain GET in the same frame: a connection, the case, a good request behind it. The arguments are the front, such as
 * {@code H1}, and how often each case is run.
 */
final class Amplification {
    private static final String PLAIN =
            "case: GET\nsend: GET /x HTTP/1.1¶Host: localhost¶¶\nanswer: 200, open\nupstream: GET /x HTTP/1.1\n";
    private static final double MOST = 100;

    /** How often a client may fail to log in at once. */
    private static final int FAILURES = 4;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final Front front;
    private final int times;

    private Amplification(Front front, int times) {
        this.front = front;
        this.times = times;
    }

    /** What one run of a case costs. */
    private record Cost(String name, double micros, double kib) {}

    public static void main(String[] args) throws Exception {
        System.exit(new Amplification(Front.valueOf(args[0]), Integer.parseInt(args[1])).run() ? 0 : 1);
    }

    private boolean run() throws Exception {
        Cost plain;
        List<Cost> all = new ArrayList<>();
        try (CorpusProxy proxy = CorpusProxy.start(front, Set.of())) {
            CorpusCase get = plain().cases().get(0);
            for (int i = 0; i < 5000; i++) {
                CorpusCheck.run(proxy, get);
            }
            plain = measure(proxy, get, 1000);
        }
        for (CorpusFile file : CorpusFile.all()) {
            if (file.options().contains("basic-auth")) {
                // a client that fails more often is answered 429
                for (CorpusCase one : file.cases()) {
                    all.add(measure(file, one, Math.min(times, FAILURES)));
                }
                continue;
            }
            try (CorpusProxy proxy = CorpusProxy.start(front, file.options())) {
                for (CorpusCase one : file.cases()) {
                    CorpusCheck.run(proxy, one);
                    all.add(measure(proxy, one, times));
                }
            }
        }
        System.out.printf(
                "%s: %d cases, each %d times; a plain GET costs %.1f us and %.1f KiB%n",
                front, all.size(), times, plain.micros(), plain.kib());
        all.sort(Comparator.comparingDouble(Cost::micros).reversed());
        all.stream()
                .limit(10)
                .forEach(c -> System.out.printf("%6.1fx processor  %s%n", c.micros() / plain.micros(), c.name()));
        double processor = all.get(0).micros() / plain.micros();
        all.sort(Comparator.comparingDouble(Cost::kib).reversed());
        all.stream()
                .limit(10)
                .forEach(c -> System.out.printf("%6.1fx memory     %s%n", c.kib() / plain.kib(), c.name()));
        double memory = all.get(0).kib() / plain.kib();
        boolean ok = processor < MOST && memory < MOST;
        System.out.printf(
                "at most %.1f times the processor time and %.1f times the memory of a plain GET (below %.0f): %s%n",
                processor, memory, MOST, ok ? "ok" : "NOT OK");
        return ok;
    }

    private static CorpusFile plain() throws IOException {
        Path file = Files.createTempFile("plain", ".corpus");
        try {
            Files.writeString(file, PLAIN);
            return CorpusFile.read(file);
        } finally {
            Files.delete(file);
        }
    }

    private Cost measure(CorpusFile file, CorpusCase one, int count) throws Exception {
        try (CorpusProxy proxy = CorpusProxy.start(front, file.options())) {
            return measure(proxy, one, count);
        }
    }

    private Cost measure(CorpusProxy proxy, CorpusCase one, int count) throws Exception {
        long[] ids = ioThreads();
        double[] micros = new double[count];
        long bytes = sum(threads.getThreadAllocatedBytes(ids));
        for (int i = 0; i < count; i++) {
            long before = sum(threads.getThreadCpuTime(ids));
            CorpusCheck.run(proxy, one);
            micros[i] = (sum(threads.getThreadCpuTime(ids)) - before) / 1000.0;
        }
        double kib = (sum(threads.getThreadAllocatedBytes(ids)) - bytes) / 1024.0 / count;
        Arrays.sort(micros);
        String start = new String(one.send(), StandardCharsets.ISO_8859_1)
                .lines()
                .findFirst()
                .orElse("");
        String name = one.file() + ": " + one.name() + " (" + start.substring(0, Math.min(40, start.length())) + ")";
        // the median: a run that the compiler or the collector disturbed says nothing about the case
        return new Cost(name, micros[count / 2], kib);
    }

    private long[] ioThreads() {
        return Arrays.stream(threads.getThreadInfo(threads.getAllThreadIds()))
                .filter(thread -> thread != null && thread.getThreadName().startsWith("webproxy I/O"))
                .mapToLong(java.lang.management.ThreadInfo::getThreadId)
                .toArray();
    }

    private static long sum(long[] values) {
        return Arrays.stream(values).sum();
    }
}
