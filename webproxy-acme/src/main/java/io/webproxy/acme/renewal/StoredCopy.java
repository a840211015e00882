package io.webproxy.acme.renewal;

import io.webproxy.acme.certificate.StoredCertificate;
import io.webproxy.acme.certificate.Wanted;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The stored copy of one certificate: notices changes by another process or an operator, and remembers a certificate
 * that couldn't be written yet. Not thread-safe.
 */
final class StoredCopy {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.acme");

    private final Wanted wanted;
    private final Shelf shelf;
    /** The content of the store, readable or not. */
    private byte[] seen = {};
    /** A certificate that is served and couldn't be written so far. */
    private @Nullable StoredCertificate unsaved;

    StoredCopy(Wanted wanted, Shelf shelf) {
        this.wanted = wanted;
        this.shelf = shelf;
    }

    /** Whether the served certificate still has to be written. */
    boolean isUnsaved() {
        return unsaved != null;
    }

    /**
     * The stored certificate, if it has changed since the last call and can be served.
     *
     * @param served replaces a damaged one
     */
    @Nullable StoredCertificate changed(@Nullable StoredCertificate served) throws IOException {
        byte[] kept = shelf.certificate(wanted).orElse(new byte[0]);
        if (Arrays.equals(kept, seen)) {
            return null;
        }
        seen = kept;
        if (kept.length == 0) {
            return null;
        }
        try {
            return StoredCertificate.parse(kept);
        } catch (StoredCertificate.Damaged e) {
            LOG.warn("What is stored as certificates/{} {}: it isn't served", wanted.id(), e.getMessage());
            unsaved = served;
            return null;
        }
    }

    /** Writes a new certificate; false if that isn't possible now. */
    boolean write(StoredCertificate fresh) {
        if (shelf.keep(wanted, fresh)) {
            unsaved = null;
            seen = fresh.print();
            return true;
        }
        unsaved = fresh;
        return false;
    }

    /** Retries to write the unsaved certificate; true if that succeeds. */
    boolean writeAgain() {
        StoredCertificate certificate = unsaved;
        if (certificate != null && shelf.keep(wanted, certificate)) {
            unsaved = null;
            return true;
        }
        return false;
    }

    /** Deletes it, if that is possible now. */
    void drop() {
        shelf.drop(wanted);
        seen = new byte[0];
        unsaved = null;
    }
}
