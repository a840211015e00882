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
 * Obtains, keeps, serves and renews certificates while a server runs: loads what is stored at once, and does all else
 * on the context's executor.
 *
 * <p>Several processes that share a store order a certificate once: whoever asks the CA has the store's lock and has
 * looked again whether another has done it. An expired certificate is served until a new one is there, with a WARN
 * line. Certificates in the store that aren't wanted stay there. Thread-safe.
 */
public final class Caretaker {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.acme");
    /** What is served can wait: the first clients shouldn't wait for it. */
    private static final Duration WHILE_OTHERS_START = Duration.ofSeconds(2);

    private static final Duration AFTER_A_DEFECT = Duration.ofMinutes(5);

    private final CertificateContext context;
    private final Shelf shelf;
    private final List<Care> cares;
    private final Map<Care, ScheduledFuture<?>> looks = new HashMap<>();
    private volatile List<KeyMaterial> current = List.of();
    private boolean stopped;

    public Caretaker(
            Issuer issuer, CertificateStore store, List<Wanted> wanted, CertificateContext context, Clock clock) {
        this(
                issuer,
                store,
                wanted,
                context,
                clock,
                () -> ThreadLocalRandom.current().nextDouble());
    }

    /** A caretaker whose waits are longer by this part of a quarter. */
    public Caretaker(
            Issuer issuer,
            CertificateStore store,
            List<Wanted> wanted,
            CertificateContext context,
            Clock clock,
            DoubleSupplier random) {
        this.context = context;
        this.shelf = new Shelf(store);
        this.cares = wanted.stream()
                .map(each -> new Care(each, issuer, shelf, context, clock, random, this::changed))
                .toList();
    }

    /**
     * Serves what is stored, and begins to look after it.
     *
     * @throws IOException if the store can't be read; the message is the sentence that says why and what to do
     */
    public void start() throws IOException {
        for (Care care : cares) {
            care.load();
        }
        refresh();
        shelf.probe();
        for (Care care : cares) {
            lookIn(care, care.served() == null ? Duration.ZERO : WHILE_OTHERS_START);
        }
    }

    /** Looks no more, and interrupts whoever does; may be called again. */
    public void stop() {
        synchronized (looks) {
            stopped = true;
            looks.values().forEach(look -> look.cancel(true));
            looks.clear();
        }
    }

    /** What is served now, in the order in which it is wanted; immutable. */
    public List<KeyMaterial> current() {
        return current;
    }

    public List<CertificateStatus> status() {
        return cares.stream().map(Care::status).toList();
    }

    /**
     * The CA has been told not to trust a certificate any more: obtains another at once, and serves this one until
     * then.
     */
    public void revoked(KeyMaterial material) {
        for (Care care : cares) {
            KeyMaterial served = care.served();
            if (served != null && served.leaf().equals(material.leaf())) {
                LOG.info("Revoked the certificate for {}, which is replaced now", String.join(", ", care.names()));
                care.revoked(material.leaf());
                context.publish(CertificateEvent.of(
                                CertificateEvent.Kind.REVOKED,
                                care.names(),
                                "The certificate for " + String.join(", ", care.names())
                                        + " is revoked; it is served until another is there.")
                        .withNotAfter(material.notAfter()));
                lookNow(care);
            }
        }
    }

    private void lookNow(Care care) {
        synchronized (looks) {
            ScheduledFuture<?> next = looks.get(care);
            // One that runs, or is about to, sees what is new by itself or comes again soon.
            if (next != null && next.getDelay(TimeUnit.SECONDS) > 0 && next.cancel(false)) {
                lookIn(care, Duration.ZERO);
            }
        }
    }

    private synchronized void refresh() {
        current = cares.stream().map(Care::served).filter(Objects::nonNull).toList();
    }

    private void changed() {
        refresh();
        context.changed();
    }

    private void lookIn(Care care, Duration wait) {
        synchronized (looks) {
            if (stopped) {
                return;
            }
            try {
                looks.put(care, context.executor().schedule(() -> look(care), wait.toMillis(), TimeUnit.MILLISECONDS));
            } catch (RejectedExecutionException e) {
                // The server closes.
                stopped = true;
            }
        }
    }

    private void look(Care care) {
        Duration wait;
        try {
            wait = care.look();
        } catch (InterruptedException e) {
            // Only a stop interrupts.
            Thread.currentThread().interrupt();
            return;
        } catch (Throwable e) {
            LOG.warn("A certificate could not be looked after, it is tried again in {}", AFTER_A_DEFECT, e);
            wait = AFTER_A_DEFECT;
        }
        lookIn(care, wait);
    }
}
