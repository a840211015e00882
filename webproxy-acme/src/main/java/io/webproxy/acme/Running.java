package io.webproxy.acme;

import io.webproxy.acme.ca.AcmeFailure;
import io.webproxy.acme.renewal.Caretaker;
import io.webproxy.acme.renewal.OneAtATime;
import io.webproxy.spi.ChallengeResponder;
import io.webproxy.tls.CertificateContext;
import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import java.io.IOException;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The certificates of one running server, from its start to its stop: chooses among those that are served, and has
 * others issued when one is revoked. Thread-safe.
 *
 * @param issuer asks the CA, for one certificate at a time
 * @param caretaker obtains and renews
 * @param context what the server lends
 */
record Running(OneAtATime issuer, Caretaker caretaker, CertificateContext context) {
    /** What a client gets, as {@link AcmeCertificates#select} says. */
    @Nullable KeyMaterial select(ClientHello hello) {
        List<KeyMaterial> served = caretaker.current();
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

    /** Tells the CA not to trust what is served for a name, as {@link AcmeCertificates#revoke} says. */
    void revoke(String name) throws IOException, InterruptedException {
        List<KeyMaterial> revoked = caretaker.current().stream()
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
            caretaker.revoked(material);
        }
    }
}
