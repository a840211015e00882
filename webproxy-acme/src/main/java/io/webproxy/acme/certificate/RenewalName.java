package io.webproxy.acme.certificate;

import java.security.cert.X509Certificate;
import java.util.Optional;
import org.shredzone.acme4j.exception.AcmeProtocolException;
import org.shredzone.acme4j.toolbox.AcmeUtils;

/** What a CA knows a certificate by when it is to be renewed (RFC 9773 section 4.1). */
public final class RenewalName {
    private RenewalName() {}

    /**
     * That of a certificate; empty if it says no authority key, as one that an operator has put into the store may:
     * then no CA knows it.
     */
    public static Optional<String> of(X509Certificate certificate) {
        try {
            return Optional.of(AcmeUtils.getRenewalUniqueIdentifier(certificate));
        } catch (AcmeProtocolException e) {
            return Optional.empty();
        }
    }
}
