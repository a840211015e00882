package io.webproxy.undertow.server;

import io.webproxy.undertow.exchange.Exchanges;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The way from running to released: no more connections, then what is in flight ends by itself or is cut, then everything is closed. It has a
 * daemon thread of its own while it lasts. Thread-safe.
 */
final class Drain {
    private static final long AFTER_CUT_MILLIS = 5_000;

    private final Exchanges exchanges;
    private final Runnable stopAccepting;
    private final Runnable release;
    private final CountDownLatch idle = new CountDownLatch(1);
    private boolean started;
    private long deadline;

    Drain(Exchanges exchanges, Runnable stopAccepting, Runnable release) {
        this.exchanges = exchanges;
        this.stopAccepting = stopAccepting;
        this.release = release;
    }

    /** Starts it; a later call can only bring the cut forward. */
    synchronized void start(Duration limit) {
        long until = System.nanoTime() + limit.toNanos();
        if (started) {
            if (until - deadline < 0) {
                deadline = until;
                notifyAll();
            }
            return;
        }
        started = true;
        deadline = until;
        Thread thread = new Thread(this::run, "webproxy-drain");
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        try {
            stopAccepting.run();
            exchanges.drain(this::becameIdle);
            if (!awaitIdle()) {
                exchanges.cutAll();
                idle.await(AFTER_CUT_MILLIS, TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException e) {
            exchanges.cutAll();
        } finally {
            release.run();
        }
    }

    private synchronized void becameIdle() {
        idle.countDown();
        notifyAll();
    }

    private synchronized boolean awaitIdle() throws InterruptedException {
        while (idle.getCount() > 0) {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                return false;
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        return true;
    }
}
