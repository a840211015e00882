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
 * A CA: issues certificates and says when they want to be renewed. Calls block for as long as the CA takes, within
 * limits of their own.
 */
public interface Issuer {
    /**
     * When the CA wants a certificate to be renewed (RFC 9773 section 4.2).
     *
     * @param start the begin of the suggested window
     * @param end its end
     * @param askAgain how long until it is worth asking again
     */
    record RenewalWindow(Instant start, Instant end, Duration askAgain) {}

    /**
     * Obtains a certificate with a new key. An order that an earlier call, or an earlier process, has left unfinished
     * is taken up again where it can be.
     *
     * @param replaces the certificate that is renewed by it (RFC 9773 section 5); null for none
     * @throws AcmeFailure if the CA refuses, can't be reached or can't be understood
     */
    KeyMaterial obtain(Wanted wanted, @Nullable X509Certificate replaces) throws AcmeFailure, InterruptedException;

    /**
     * The certificate that {@link #obtain} has returned is stored: until then a further call returns it again, also
     * after a crash, and doesn't order another.
     *
     * @throws AcmeFailure if that can't be kept in mind
     */
    void done(Wanted wanted) throws AcmeFailure;

    /**
     * When the CA wants this certificate to be renewed; empty if it has no word on it.
     *
     * @throws AcmeFailure if it can't be asked
     */
    Optional<RenewalWindow> renewalWindow(X509Certificate certificate) throws AcmeFailure, InterruptedException;

    /** Tells the CA that a certificate isn't to be trusted any more (RFC 8555 section 7.6). */
    void revoke(KeyMaterial certificate) throws AcmeFailure, InterruptedException;
}
