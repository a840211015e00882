package io.webproxy.acme.renewal;

import io.webproxy.acme.CertificateStore;
import io.webproxy.acme.certificate.StoredCertificate;
import io.webproxy.acme.certificate.Wanted;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The part of a store with the certificates and their renewal state. If storing fails, that is logged once, in one WARN
 * line for all, and certificates are still served. Thread-safe.
 */
final class Shelf {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.acme");
    /**
     * The lease of the lock, extended while the CA is asked; it limits how long others wait for a process that hangs.
     */
    static final Duration LEASE = Duration.ofMinutes(15);

    private static final String PROBE = "probe";

    private final CertificateStore store;
    private final AtomicBoolean troubled = new AtomicBoolean();

    Shelf(CertificateStore store) {
        this.store = store;
    }

    /** The stored form of a certificate; empty if there is none. */
    Optional<byte[]> certificate(Wanted wanted) throws IOException {
        return store.get("certificates/" + wanted.id());
    }

    /** Stores a certificate; false if that isn't possible now. */
    boolean keep(Wanted wanted, StoredCertificate certificate) {
        return kept("certificates/" + wanted.id(), certificate.print());
    }

    /** Deletes a certificate, if that is possible now. */
    void drop(Wanted wanted) {
        try {
            store.delete("certificates/" + wanted.id());
        } catch (IOException e) {
            troubled(e);
        }
    }

    Progress progress(Wanted wanted) throws IOException {
        return store.get("renewals/" + wanted.id())
                .map(kept -> Progress.parse(kept, wanted.names()))
                .orElse(Progress.none(wanted.names()));
    }

    void keep(Wanted wanted, Progress progress) {
        kept("renewals/" + wanted.id(), progress.print());
    }

    private boolean kept(String key, byte[] value) {
        try {
            store.put(key, value);
        } catch (IOException e) {
            troubled(e);
            return false;
        }
        if (troubled.getAndSet(false)) {
            LOG.info("Certificates can be kept in {} again", store);
        }
        return true;
    }

    /** Tests whether storing works, to report a problem at once. */
    void probe() {
        try {
            store.put(PROBE, "Written and removed at each start.\n".getBytes(StandardCharsets.US_ASCII));
            store.delete(PROBE);
        } catch (IOException e) {
            troubled(e);
        }
    }

    /** Takes the lock of the process that asks the CA. */
    Optional<CertificateStore.Lock> lock(Wanted wanted) throws IOException {
        try {
            return store.lock(wanted.id(), LEASE);
        } catch (IOException e) {
            troubled(e);
            throw e;
        }
    }

    /** Logs a problem, unless the last operation failed too. */
    void troubled(IOException e) {
        if (troubled.getAndSet(true)) {
            LOG.debug("Certificates still can't be kept", e);
        } else {
            LOG.warn("Certificates can't be kept, existing ones are still served: {}", e.getMessage());
        }
    }
}
