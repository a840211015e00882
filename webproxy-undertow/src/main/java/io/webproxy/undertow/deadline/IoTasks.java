package io.webproxy.undertow.deadline;

import java.util.Collection;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.xnio.XnioExecutor;
import org.xnio.XnioIoThread;

/** Runs tasks on IO threads, which may have ended already. */
public final class IoTasks {
    private static final long SETTLE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int SETTLE_ROUNDS = 4;

    private IoTasks() {}

    /**
     * Runs a task on a thread, which survives if the task throws. A thread that is ending drops the task, because
     * everything on it is being closed anyway.
     */
    public static void execute(XnioIoThread thread, Runnable task) {
        try {
            thread.execute(() -> run(task));
        } catch (RejectedExecutionException e) {
            // the server is closing
        }
    }

    /**
     * XNIO (3.8.16) survives too, but logs each failure; and if logging fails, its thread ends. Canary:
     * {@code XnioDefectsTest.failureOfATaskIsLoggedEachTime}.
     */
    private static void run(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            Guard.failed("a task", e);
        }
    }

    /** The same after a delay; the key cancels it. */
    public static XnioExecutor.Key executeAfter(XnioIoThread thread, Runnable task, long millis) {
        try {
            return thread.executeAfter(() -> run(task), millis, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            // the server is closing
            return () -> false;
        }
    }

    /**
     * Waits until the tasks of these threads have run, and those that they submitted in turn, for a second at most. Not
     * for an IO thread.
     */
    public static void settle(Collection<XnioIoThread> threads) {
        long until = System.nanoTime() + SETTLE_NANOS;
        try {
            for (int round = 0; round < SETTLE_ROUNDS; round++) {
                CountDownLatch ran = new CountDownLatch(threads.size());
                threads.forEach(thread -> execute(thread, ran::countDown));
                if (!ran.await(until - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
