package io.webproxy.undertow.testing;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.Xnio;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

/** A worker with one IO thread, for what belongs to such a thread. */
public final class OneIoThread implements AutoCloseable {
    private final XnioWorker worker;

    private OneIoThread() throws IOException {
        worker = Xnio.getInstance()
                .createWorker(OptionMap.builder()
                        .set(Options.WORKER_IO_THREADS, 1)
                        .set(Options.THREAD_DAEMON, true)
                        .getMap());
    }

    /** Starts it. */
    public static OneIoThread start() throws IOException {
        return new OneIoThread();
    }

    public XnioIoThread thread() {
        return worker.getIoThread(0);
    }

    /** What a task gives that runs on the thread, within 30 s. */
    public <T> T call(Callable<T> task) throws Exception {
        CompletableFuture<T> done = new CompletableFuture<>();
        thread().execute(() -> {
            try {
                done.complete(task.call());
            } catch (Throwable e) {
                done.completeExceptionally(e);
            }
        });
        return done.get(30, TimeUnit.SECONDS);
    }

    /** Ends the thread; whatever it serves has to be closed before. */
    @Override
    public void close() throws InterruptedException {
        worker.shutdown();
        if (!worker.awaitTermination(30, TimeUnit.SECONDS)) {
            throw new AssertionError("the worker doesn't end");
        }
    }
}
