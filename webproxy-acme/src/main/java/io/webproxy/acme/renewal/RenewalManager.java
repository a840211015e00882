package io.webproxy.acme.renewal;

import io.webproxy.acme.CertificateStore;
import io.webproxy.acme.certificate.Wanted;
import io.webproxy.acme.order.Issuer;
import io.webproxy.observe.CertificateEvent;
import io.webproxy.tls.CertificateContext;
import io.webproxy.tls.CertificateStatus;
import io.webproxy.tls.KeyMaterial;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Obtains, stores, serves and renews certificates while a server runs: loads stored ones at once, and does everything
 * else on the context's executor.
 *
 * <p>Processes that share a store order a certificate only once: a process takes the store's lock before it asks the
 * CA, then checks again whether another one has obtained it. An expired certificate is served, with a WARN line, until
 * there is a new one. Other certificates in the store stay there. Thread-safe.
 */
public final class RenewalManager {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.acme");
    /** Certificates that have a stored one can wait: the first clients should be served first. */
    private static final Duration WHILE_OTHERS_START = Duration.ofSeconds(2);

    private static final Duration AFTER_A_DEFECT = Duration.ofMinutes(5);

    private final CertificateContext context;
    private final Shelf shelf;
    private final List<CertificateRenewal> cares;
    private final Map<CertificateRenewal, ScheduledFuture<?>> looks = new HashMap<>();
    private volatile List<KeyMaterial> current = List.of();
    private boolean stopped;

    public RenewalManager(
            Issuer issuer, CertificateStore store, List<Wanted> wanted, CertificateContext context, Clock clock) {
        this(
                issuer,
                store,
                wanted,
                context,
                clock,
                () -> ThreadLocalRandom.current().nextDouble());
    }

    /** With {@code random} for the jitter of waits: this fraction of a quarter is added. */
    public RenewalManager(
            Issuer issuer,
            CertificateStore store,
            List<Wanted> wanted,
            CertificateContext context,
            Clock clock,
            DoubleSupplier random) {
        this.context = context;
        this.shelf = new Shelf(store);
        this.cares = wanted.stream()
                .map(each -> new CertificateRenewal(each, issuer, shelf, context, clock, random, this::changed))
                .toList();
    }

    /**
     * Serves stored certificates, and starts to renew them.
     *
     * @throws IOException if the store can't be read; the message is a sentence that says why and what to do
     */
    public void start() throws IOException {
        for (CertificateRenewal care : cares) {
            care.load();
        }
        refresh();
        shelf.probe();
        for (CertificateRenewal care : cares) {
            lookIn(care, care.served() == null ? Duration.ZERO : WHILE_OTHERS_START);
        }
    }

    /** Stops, and interrupts work in progress; idempotent. */
    public void stop() {
        synchronized (looks) {
            stopped = true;
            looks.values().forEach(look -> look.cancel(true));
            looks.clear();
        }
    }

    /** The certificates in use, in the configured order; immutable. */
    public List<KeyMaterial> current() {
        return current;
    }

    public List<CertificateStatus> status() {
        return cares.stream().map(CertificateRenewal::status).toList();
    }

    /** A certificate was revoked: obtains another at once, and serves the revoked one until then. */
    public void revoked(KeyMaterial material) {
        for (CertificateRenewal care : cares) {
            KeyMaterial served = care.served();
            if (served != null && served.leaf().equals(material.leaf())) {
                LOG.info("Revoked the certificate for {}, which is replaced now", String.join(", ", care.names()));
                care.revoked(material.leaf());
                context.observer()
                        .certificateRevoked(CertificateEvent.of(
                                        care.names(),
                                        "The certificate for " + String.join(", ", care.names())
                                                + " is revoked; it is served until another is there.")
                                .withNotAfter(material.notAfter()));
                lookNow(care);
            }
        }
    }

    private void lookNow(CertificateRenewal care) {
        synchronized (looks) {
            ScheduledFuture<?> next = looks.get(care);
            // a running or imminent check sees the change, or is repeated soon
            if (next != null && next.getDelay(TimeUnit.SECONDS) > 0 && next.cancel(false)) {
                lookIn(care, Duration.ZERO);
            }
        }
    }

    private synchronized void refresh() {
        current = cares.stream()
                .map(CertificateRenewal::served)
                .filter(Objects::nonNull)
                .toList();
    }

    private void changed() {
        refresh();
        context.changed();
    }

    private void lookIn(CertificateRenewal care, Duration wait) {
        synchronized (looks) {
            if (stopped) {
                return;
            }
            try {
                looks.put(care, context.executor().schedule(() -> look(care), wait.toMillis(), TimeUnit.MILLISECONDS));
            } catch (RejectedExecutionException e) {
                // the server is closing
                stopped = true;
            }
        }
    }

    private void look(CertificateRenewal care) {
        Duration wait;
        try {
            wait = care.look();
        } catch (InterruptedException e) {
            // only a stop interrupts
            Thread.currentThread().interrupt();
            return;
        } catch (Throwable e) {
            LOG.warn("A certificate could not be looked after, it is tried again in {}", AFTER_A_DEFECT, e);
            wait = AFTER_A_DEFECT;
        }
        lookIn(care, wait);
    }
}
