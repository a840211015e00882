package io.webproxy.undertow.exchange;

import io.webproxy.undertow.deadline.IoTasks;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

/**
 * Checks in the kernel's TCP table whether peers acknowledge what is sent to them. One read of the table serves all
 * exchanges of a server that ask; it happens on a worker's task thread, at most once a second, and takes at most 1 % of
 * a processor. Without such a table, as outside Linux, there is never an answer. Thread-safe.
 *
 * <p>It may seem simpler to set {@code TCP_USER_TIMEOUT}, but the JDK (17 to 25) has no option for it. Canary:
 * {@code JdkDefectsTest.socketsHaveNoLimitForBytesThatAreNotAcknowledged}.
 */
final class AckPoll {
    private static final Logger LOG = LoggerFactory.getLogger(AckPoll.class);
    private static final List<Path> TABLES = List.of(Path.of("/proc/self/net/tcp"), Path.of("/proc/self/net/tcp6"));
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final long LEAST_PAUSE_MILLIS = 1000;
    private static final int COST = 100;
    /**
     * Lengths of the keys that were found before, one for each address family: a missing connection of such a family
     * has been closed.
     */
    private static final Set<Integer> FOUND = ConcurrentHashMap.newKeySet();

    private final List<Path> tables;
    private Map<String, List<Question>> questions = new HashMap<>();
    private boolean scheduled;
    private long pauseMillis;

    private record Question(XnioIoThread thread, Consumer<TcpTable.@Nullable Row> onAnswer) {}

    AckPoll() {
        this(TABLES);
    }

    AckPoll(List<Path> tables) {
        this.tables = tables.stream().filter(Files::isReadable).toList();
    }

    /**
     * Runs {@code onAnswer} on {@code thread} with the connection's row, or null if the table no longer has it. It
     * never runs if the tables can't be read, or never listed a connection of this address family.
     */
    synchronized void ask(String key, XnioIoThread thread, Consumer<TcpTable.@Nullable Row> onAnswer) {
        if (tables.isEmpty()) {
            return;
        }
        questions.computeIfAbsent(key, none -> new ArrayList<>()).add(new Question(thread, onAnswer));
        if (!scheduled) {
            scheduled = true;
            IoTasks.executeAfter(thread, () -> start(thread), Math.max(1, pauseMillis));
        }
    }

    private void start(XnioIoThread thread) {
        try {
            thread.getWorker().execute(() -> poll(thread.getWorker()));
        } catch (RejectedExecutionException e) {
            LOG.debug("The server has closed");
        }
    }

    private void poll(XnioWorker worker) {
        long start = cpuNanos();
        Map<String, List<Question>> asked = take();
        try {
            boolean whole = true;
            for (Path table : tables) {
                whole = whole && read(table, asked, worker);
            }
            if (whole) {
                asked.forEach((key, unknown) -> {
                    if (FOUND.contains(key.length())) {
                        answer(unknown, null);
                    }
                });
            }
        } finally {
            ended((cpuNanos() - start) / 1_000_000);
        }
    }

    /**
     * CPU time of this thread, so that waiting on a busy machine doesn't count; elapsed time where the JVM can't
     * measure it.
     */
    private static long cpuNanos() {
        return THREADS.isCurrentThreadCpuTimeSupported() ? THREADS.getCurrentThreadCpuTime() : System.nanoTime();
    }

    private synchronized Map<String, List<Question>> take() {
        Map<String, List<Question>> taken = questions;
        questions = new HashMap<>();
        scheduled = false;
        return taken;
    }

    private synchronized void ended(long millis) {
        pauseMillis = Math.max(LEAST_PAUSE_MILLIS, millis * COST);
    }

    /** Returns whether the table was read to its end; it isn't when the server closes meanwhile. */
    private static boolean read(Path table, Map<String, List<Question>> asked, XnioWorker worker) {
        try (BufferedReader lines = Files.newBufferedReader(table, StandardCharsets.ISO_8859_1)) {
            for (String line = lines.readLine(); line != null && !asked.isEmpty(); line = lines.readLine()) {
                if (worker.isShutdown()) {
                    return false;
                }
                // nearly all lines are about other connections
                String key = TcpTable.keyOf(line);
                TcpTable.Row row = key != null && asked.containsKey(key) ? TcpTable.row(line) : null;
                List<Question> ofRow = row == null ? null : asked.remove(row.key());
                if (row != null && ofRow != null) {
                    FOUND.add(row.key().length());
                    answer(ofRow, row);
                }
            }
            return true;
        } catch (NoSuchFileException e) {
            // a kernel without IPv6 has no such table
            return true;
        } catch (IOException e) {
            LOG.debug("{} can't be read", table, e);
            return false;
        }
    }

    private static void answer(List<Question> all, TcpTable.@Nullable Row row) {
        for (Question one : all) {
            IoTasks.execute(one.thread(), () -> one.onAnswer().accept(row));
        }
    }
}
