package io.webproxy.acme.certificate;

import java.security.cert.X509Certificate;
import java.util.Optional;
import org.shredzone.acme4j.exception.AcmeProtocolException;
import org.shredzone.acme4j.toolbox.AcmeUtils;

/** The id by which a CA knows a certificate in renewal requests (RFC 9773 section 4.1). */
public final class RenewalName {
    private RenewalName() {}

    /**
     * The id of a certificate; empty if the certificate has no authority key id, as one that an operator has put into
     * the store may: then no CA knows it.
     */
    public static Optional<String> of(X509Certificate certificate) {
        try {
            return Optional.of(AcmeUtils.getRenewalUniqueIdentifier(certificate));
        } catch (AcmeProtocolException e) {
            return Optional.empty();
        }
    }
}
