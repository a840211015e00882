package io.webproxy.acme.order;

import io.webproxy.acme.ca.AcmeFailure;
import io.webproxy.acme.certificate.Wanted;
import io.webproxy.tls.KeyMaterial;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Issues certificates, and says when to renew them. Calls block for as long as the CA takes, within time limits of
 * their own.
 */
public interface Issuer {
    /**
     * The CA's suggested renewal window for a certificate (RFC 9773 section 4.2).
     *
     * @param start the start of the window
     * @param end its end
     * @param askAgain when to ask again
     */
    record RenewalWindow(Instant start, Instant end, Duration askAgain) {}

    /**
     * Obtains a certificate with a new key. It resumes an order that an earlier call or process has left unfinished, if
     * possible.
     *
     * @param replaces the certificate that it renews (RFC 9773 section 5); null for none
     * @throws AcmeFailure if the CA refuses, can't be reached or sends an invalid answer
     */
    KeyMaterial obtain(Wanted wanted, @Nullable X509Certificate replaces) throws AcmeFailure, InterruptedException;

    /**
     * Reports that the certificate returned by {@link #obtain} is stored. Until then another call returns it again,
     * even after a crash, instead of ordering another one.
     *
     * @throws AcmeFailure if that can't be stored
     */
    void done(Wanted wanted) throws AcmeFailure;

    /**
     * The CA's suggested renewal window for this certificate; empty if it suggests none.
     *
     * @throws AcmeFailure if the request fails
     */
    Optional<RenewalWindow> renewalWindow(X509Certificate certificate) throws AcmeFailure, InterruptedException;

    /** Revokes a certificate (RFC 8555 section 7.6). */
    void revoke(KeyMaterial certificate) throws AcmeFailure, InterruptedException;
}
