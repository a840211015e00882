package io.webproxy.undertow.server;

import io.webproxy.undertow.deadline.CloseSteps;
import io.webproxy.undertow.deadline.Daemons;
import io.webproxy.undertow.endpoint.OpenConnections;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.relay.Relays;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shuts a server down gracefully: accepts no more connections, waits for what is in flight or cuts it at a time limit,
 * then closes everything. It runs on a daemon thread of its own. Thread-safe.
 */
final class Drain {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.server");
    private static final long AFTER_CUT_NANOS = TimeUnit.SECONDS.toNanos(5);

    /**
     * How long connections without an exchange may stay: for the rest of a handshake or a head, or of a response that
     * the client doesn't read.
     */
    static final Duration REST = Duration.ofMillis(2_500);

    private final Exchanges exchanges;
    private final Relays relays;
    private final TunnelSides tunnels;
    private final OpenConnections connections;
    private final Runnable stopAccepting;
    private final Runnable release;
    private final long restNanos;
    private boolean started;
    private long deadline;
    private long lastEnd;

    /**
     * A drain that hasn't started.
     *
     * @param rest how long connections without an exchange may stay that have something to do yet
     */
    Drain(
            Exchanges exchanges,
            Relays relays,
            TunnelSides tunnels,
            OpenConnections connections,
            Runnable stopAccepting,
            Runnable release,
            Duration rest) {
        this.exchanges = exchanges;
        this.relays = relays;
        this.tunnels = tunnels;
        this.connections = connections;
        this.stopAccepting = stopAccepting;
        this.release = release;
        this.restNanos = rest.toNanos();
    }

    /** Starts it; a later call can only shorten the time limit. */
    void start(Duration limit) {
        if (!isFirst(System.nanoTime() + limit.toNanos())) {
            return;
        }
        Thread thread = Daemons.thread("webproxy-drain", this::run);
        try {
            thread.start();
        } catch (OutOfMemoryError e) {
            LOG.warn("There is no thread for the drain: what is in flight is cut", e);
            isFirst(System.nanoTime());
            run();
        }
    }

    private synchronized boolean isFirst(long until) {
        if (!started) {
            started = true;
            deadline = until;
            return true;
        }
        if (until - deadline < 0) {
            deadline = until;
            notifyAll();
        }
        return false;
    }

    private void run() {
        new CloseSteps()
                .step("drain", () -> {
                    exchanges.whenOneEnds(this::oneEnded);
                    relays.whenOneEnds(this::oneEnded);
                    tunnels.live().whenOneEnds(this::oneEnded);
                    connections.whenFewerAreActive(this::fewerAreActive);
                })
                .step("endpoints", stopAccepting)
                .step("tunnels", tunnels::leave)
                .step("exchanges and relays", this::awaitOrCut)
                .report();
        release.run();
    }

    private void awaitOrCut() {
        try {
            if (!awaitEnd()) {
                cutAll();
                awaitIdle();
            }
        } catch (InterruptedException e) {
            cutAll();
        }
    }

    private void cutAll() {
        exchanges.cutAll();
        relays.cutAll();
        tunnels.live().cutAll();
    }

    private boolean isIdle() {
        return exchanges.isIdle() && relays.open() == 0 && tunnels.live().open() == 0;
    }

    private synchronized void oneEnded() {
        lastEnd = System.nanoTime();
        notifyAll();
    }

    private synchronized void fewerAreActive() {
        if (connections.active() == 0) {
            notifyAll();
        }
    }

    private synchronized boolean awaitEnd() throws InterruptedException {
        lastEnd = System.nanoTime();
        while (!isIdle() || connections.active() > 0) {
            long now = System.nanoTime();
            long left = deadline - now;
            if (left <= 0) {
                return false;
            }
            if (isIdle()) {
                long rest = lastEnd + restNanos - now;
                if (rest <= 0) {
                    return true;
                }
                left = Math.min(left, rest);
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        return true;
    }

    private synchronized void awaitIdle() throws InterruptedException {
        long until = System.nanoTime() + AFTER_CUT_NANOS;
        for (long left = AFTER_CUT_NANOS; left > 0 && !isIdle(); left = until - System.nanoTime()) {
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
    }
}
