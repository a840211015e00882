package io.webproxy.acme;

import io.webproxy.acme.ca.AcmeFailure;
import io.webproxy.acme.renewal.OneAtATime;
import io.webproxy.acme.renewal.RenewalManager;
import io.webproxy.spi.ChallengeResponder;
import io.webproxy.tls.CertificateContext;
import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import java.io.IOException;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The certificates of one running server: chooses among those in use, and replaces a revoked one. Thread-safe.
 *
 * @param issuer of certificates, one at a time
 * @param manager obtains and renews certificates
 * @param context the server's services
 */
record Running(OneAtATime issuer, RenewalManager manager, CertificateContext context) {
    /** The certificates for a client, as documented at {@link AcmeCertificates#select}. */
    @Nullable KeyMaterial select(ClientHello hello) {
        List<KeyMaterial> served = manager.current();
        if (hello.serverName().isPresent()) {
            String name = hello.serverName().get();
            return first(served, hello, material -> material.covers(name));
        }
        KeyMaterial reached = first(
                served,
                hello,
                material -> material.addresses().contains(hello.localAddress().getAddress()));
        return reached != null ? reached : first(served, hello, material -> true);
    }

    private static @Nullable KeyMaterial first(
            List<KeyMaterial> served, ClientHello hello, Predicate<KeyMaterial> fits) {
        for (KeyMaterial material : served) {
            if (hello.canUse(material.keyType()) && fits.test(material)) {
                return material;
            }
        }
        return null;
    }

    /** Answers challenges on the server's ports. */
    ChallengeResponder challenges() {
        return context.challenges();
    }

    /** Revokes the certificates for a name, as documented at {@link AcmeCertificates#revoke}. */
    void revoke(String name) throws IOException, InterruptedException {
        List<KeyMaterial> revoked = manager.current().stream()
                .filter(material -> material.covers(name))
                .toList();
        if (revoked.isEmpty()) {
            throw new IllegalArgumentException(
                    "revoke: " + name + " (expected: a name that a certificate is served for)");
        }
        for (KeyMaterial material : revoked) {
            try {
                issuer.revoke(material);
            } catch (AcmeFailure e) {
                throw new IOException(e.getMessage(), e);
            }
            manager.revoked(material);
        }
    }
}
