package io.webproxy.observe;

import io.webproxy.spi.ProxyEngine;
import io.webproxy.spi.ServedRoutes;
import io.webproxy.spi.ServerObserver;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls another observer on one daemon thread, which ends after a second without work.
 *
 * <p>Thread-safe. The order of the calls is kept.
 */
final class AsyncObserver implements ServerObserver {
    private static final Logger LOG = LoggerFactory.getLogger(AsyncObserver.class);

    private final ProxyObserver target;
    private final LongAdder dropped = new LongAdder();
    private final AtomicBoolean failed = new AtomicBoolean();
    private final ThreadPoolExecutor executor;

    AsyncObserver(ProxyObserver target, int queueSize) {
        this.target = Objects.requireNonNull(target, "observer");
        if (queueSize < 1) {
            throw new IllegalArgumentException("queueSize: " + queueSize + " (expected: at least 1)");
        }
        this.executor = new ThreadPoolExecutor(
                1,
                1,
                1,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(queueSize),
                task -> {
                    Thread thread = new Thread(task, "webproxy-observer");
                    thread.setDaemon(true);
                    return thread;
                },
                (task, pool) -> dropped.increment());
        executor.allowCoreThreadTimeOut(true);
    }

    @Override
    public void serves(ProxyEngine.Running server) {
        if (target instanceof ServerObserver reader) {
            reader.serves(server);
        }
    }

    @Override
    public void servesRoutes(ServedRoutes routes) {
        if (target instanceof ServerObserver reader) {
            reader.servesRoutes(routes);
        }
    }

    @Override
    public void timeoutClassChanged(ExchangeRecord soFar) {
        later(() -> target.timeoutClassChanged(soFar));
    }

    @Override
    public void exchangeEnded(ExchangeRecord exchange) {
        later(() -> target.exchangeEnded(exchange));
    }

    @Override
    public void relayEnded(RelayRecord relay) {
        later(() -> target.relayEnded(relay));
    }

    @Override
    public void certificateChanged(CertificateEvent event) {
        later(() -> target.certificateChanged(event));
    }

    @Override
    public void certificateObtained(CertificateEvent event) {
        later(() -> target.certificateObtained(event));
    }

    @Override
    public void certificateRenewed(CertificateEvent event) {
        later(() -> target.certificateRenewed(event));
    }

    @Override
    public void certificateReloaded(CertificateEvent event) {
        later(() -> target.certificateReloaded(event));
    }

    @Override
    public void certificateFailed(CertificateEvent event) {
        later(() -> target.certificateFailed(event));
    }

    @Override
    public void certificateExpiring(CertificateEvent event) {
        later(() -> target.certificateExpiring(event));
    }

    @Override
    public void certificateRevoked(CertificateEvent event) {
        later(() -> target.certificateRevoked(event));
    }

    @Override
    public void upstreamChanged(UpstreamEvent event) {
        later(() -> target.upstreamChanged(event));
    }

    @Override
    public void upstreamFailed(UpstreamEvent event) {
        later(() -> target.upstreamFailed(event));
    }

    @Override
    public void upstreamDown(UpstreamEvent event) {
        later(() -> target.upstreamDown(event));
    }

    @Override
    public void upstreamUp(UpstreamEvent event) {
        later(() -> target.upstreamUp(event));
    }

    @Override
    public void tunnelChanged(TunnelEvent event) {
        later(() -> target.tunnelChanged(event));
    }

    @Override
    public void tunnelAgentConnected(TunnelEvent event) {
        later(() -> target.tunnelAgentConnected(event));
    }

    @Override
    public void tunnelAgentDisconnected(TunnelEvent event) {
        later(() -> target.tunnelAgentDisconnected(event));
    }

    @Override
    public void tunnelAgentLost(TunnelEvent event) {
        later(() -> target.tunnelAgentLost(event));
    }

    @Override
    public void tunnelAgentRefused(TunnelEvent event) {
        later(() -> target.tunnelAgentRefused(event));
    }

    @Override
    public void tunnelAnnounced(TunnelEvent event) {
        later(() -> target.tunnelAnnounced(event));
    }

    @Override
    public void tunnelAnnouncementRefused(TunnelEvent event) {
        later(() -> target.tunnelAnnouncementRefused(event));
    }

    @Override
    public void tunnelServerConnected(TunnelEvent event) {
        later(() -> target.tunnelServerConnected(event));
    }

    @Override
    public void tunnelServerDisconnected(TunnelEvent event) {
        later(() -> target.tunnelServerDisconnected(event));
    }

    @Override
    public void tunnelServerLost(TunnelEvent event) {
        later(() -> target.tunnelServerLost(event));
    }

    private void later(Runnable call) {
        try {
            executor.execute(() -> tell(call));
        } catch (Throwable e) {
            // most likely no thread can be started
            dropped.increment();
        }
    }

    private void tell(Runnable call) {
        try {
            call.run();
        } catch (Throwable e) {
            if (failed.compareAndSet(false, true)) {
                LOG.warn(
                        "Observer {} failed, which is logged once; exchanges are not affected",
                        target.getClass().getName(),
                        e);
            }
        }
    }

    @Override
    public long dropped() {
        return dropped.sum();
    }
}
