package io.webproxy.undertow.server;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

/**
 * Notices when a thread ends that the server depends on: those that accept, read and write. Exceptions in tasks and
 * listeners don't end them, but errors in XNIO itself do, above all an {@link OutOfMemoryError}. Thread-safe.
 */
final class ThreadWatch {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.server");
    private static final String SENTENCE =
            "A thread has ended: this server can't serve any more and has to be started again.";

    private final CompletableFuture<String> failure = new CompletableFuture<>();
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean over;

    /** Watches all threads of a worker that the calling thread has just made. */
    ThreadWatch(XnioWorker worker) {
        ThreadGroup group = Thread.currentThread().getThreadGroup();
        Thread[] all = new Thread[group.activeCount() * 2 + 64];
        int count = group.enumerate(all);
        for (int i = 0; i < count; i++) {
            if (all[i] instanceof XnioIoThread thread && thread.getWorker() == worker) {
                threads.add(thread);
                thread.setUncaughtExceptionHandler(this::died);
            }
        }
    }

    /** The threads may end from now on. */
    void stop() {
        over = true;
    }

    /** A sentence that says which thread has ended; null while all are running. */
    @Nullable String failure() {
        if (!over && !failure.isDone()) {
            for (Thread thread : threads) {
                if (!thread.isAlive() && !over) {
                    failed(thread.getName(), null);
                }
            }
        }
        return failure.getNow(null);
    }

    /** Completes with that sentence. */
    CompletionStage<String> whenFailed() {
        return failure;
    }

    private void died(Thread thread, Throwable thrown) {
        if (!over) {
            failed(thread.getName(), thrown);
        }
    }

    private void failed(String thread, @Nullable Throwable thrown) {
        // the text in one piece: there may be no memory for another
        String sentence = SENTENCE;
        try {
            sentence = "The thread " + thread + " has ended" + (thrown == null ? "" : " by " + thrown)
                    + ": this server can't serve any more and has to be started again.";
        } catch (Throwable e) {
            // then the short text
        }
        if (failure.complete(sentence)) {
            try {
                LOG.error(sentence, thrown);
            } catch (Throwable e) {
                // those who wait for the failure know by now
            }
        }
    }
}
