package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyStartException;
import io.webproxy.undertow.deadline.IoTasks;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.Xnio;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

/** The threads of one server: those that accept, read and write, and a few for tasks that may block. Thread-safe. */
final class IoThreads {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.server");
    private static final int TASK_THREADS = 2;

    /** How long the threads may take to end after everything that they serve was closed. */
    private static final long END_SECONDS = 5;

    private final CountDownLatch ended = new CountDownLatch(1);
    private final XnioWorker worker;
    private final ThreadWatch watch;
    private final List<XnioIoThread> all;

    /**
     * Starts them.
     *
     * @throws ProxyStartException with none started, if they can't be
     */
    IoThreads(ProxyConfig config) {
        int count = Machine.ioThreads(config.tuning().ioThreads());
        OptionMap options = OptionMap.builder()
                .set(Options.WORKER_NAME, "webproxy")
                .set(Options.WORKER_IO_THREADS, count)
                .set(Options.WORKER_TASK_CORE_THREADS, TASK_THREADS)
                .set(Options.WORKER_TASK_MAX_THREADS, TASK_THREADS)
                .set(Options.THREAD_DAEMON, true)
                .getMap();
        try {
            this.worker = Xnio.getInstance(null, IoThreads.class.getClassLoader())
                    .createWorker(null, options, ended::countDown);
        } catch (IOException e) {
            throw new ProxyStartException("The IO threads can't be started: " + e.getMessage() + ".", e);
        }
        this.watch = new ThreadWatch(worker);
        this.all = IntStream.range(0, count).mapToObj(worker::getIoThread).toList();
    }

    XnioWorker worker() {
        return worker;
    }

    /** The threads that read and write. */
    List<XnioIoThread> all() {
        return all;
    }

    /** A sentence that says which thread has ended; null while all are running. */
    @Nullable String failure() {
        return watch.failure();
    }

    /** Completes with that sentence. */
    CompletionStage<String> whenFailed() {
        return watch.whenFailed();
    }

    /** Waits until they have run their queued tasks. */
    void settle() {
        IoTasks.settle(all);
    }

    /** Ends them for good, and waits for that. */
    void end() {
        watch.stop();
        worker.shutdown();
        try {
            if (!ended.await(END_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn(
                        "The IO threads haven't ended within {} s: the server counts as closed; a thread dump shows"
                                + " which call of the application blocks one",
                        END_SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
