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
 * Asks the kernel whether peers acknowledge what is sent to them, for all exchanges of a server that want to know at
 * once: one look at the table of all connections, on a task thread of the worker, at most once a second and for at most
 * a hundredth of a processor. Where there is no such table, as outside Linux, no answer ever comes. Thread-safe.
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
    /** The lengths of keys that were found in this process: where one was, another that isn't has gone. */
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
     * {@code onAnswer} runs on the thread with what the tables say of the connection, null if they don't have it any
     * more; never if they can't be read, or have never had a connection of this kind of addresses.
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

    /** What this thread has used, however long a busy machine let it wait; elapsed time where the JVM can't tell. */
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

    /** Whether it was read to its end; a server that closes doesn't wait for that. */
    private static boolean read(Path table, Map<String, List<Question>> asked, XnioWorker worker) {
        try (BufferedReader lines = Files.newBufferedReader(table, StandardCharsets.ISO_8859_1)) {
            for (String line = lines.readLine(); line != null && !asked.isEmpty(); line = lines.readLine()) {
                if (worker.isShutdown()) {
                    return false;
                }
                // nearly all lines are those of others
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
            // a kernel without IPv6
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
