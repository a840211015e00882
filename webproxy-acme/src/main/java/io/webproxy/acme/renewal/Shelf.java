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
 * The part of a store that certificates and their progress stand on. What can't be kept there is said once, in one WARN
 * line for all of them, and goes on being served. Thread-safe.
 */
final class Shelf {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.acme");
    /** Taken up anew while the CA is asked; nobody waits for longer than this for one that hangs. */
    static final Duration LEASE = Duration.ofMinutes(15);

    private static final String PROBE = "probe";

    private final CertificateStore store;
    private final AtomicBoolean troubled = new AtomicBoolean();

    Shelf(CertificateStore store) {
        this.store = store;
    }

    /** What is kept, as it is kept; empty if nothing. */
    Optional<byte[]> certificate(Wanted wanted) throws IOException {
        return store.get("certificates/" + wanted.id());
    }

    /** Keeps a certificate; false if that isn't possible now. */
    boolean keep(Wanted wanted, StoredCertificate certificate) {
        return kept("certificates/" + wanted.id(), certificate.print());
    }

    /** Keeps a certificate no longer, if that is possible now. */
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

    /** Says now what would be wrong when something is to be kept. */
    void probe() {
        try {
            store.put(PROBE, "Written and removed at each start.\n".getBytes(StandardCharsets.US_ASCII));
            store.delete(PROBE);
        } catch (IOException e) {
            troubled(e);
        }
    }

    /** Takes the lock that one process at a time has while it asks a CA. */
    Optional<CertificateStore.Lock> lock(Wanted wanted) throws IOException {
        try {
            return store.lock(wanted.id(), LEASE);
        } catch (IOException e) {
            troubled(e);
            throw e;
        }
    }

    /** Says what is wrong, unless it has been wrong before. */
    void troubled(IOException e) {
        if (troubled.getAndSet(true)) {
            LOG.debug("Certificates still can't be kept", e);
        } else {
            LOG.warn("Certificates can't be kept, what there is is served on: {}", e.getMessage());
        }
    }
}
