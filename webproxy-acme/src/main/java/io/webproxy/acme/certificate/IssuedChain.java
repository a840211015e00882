package io.webproxy.acme.certificate;

import io.webproxy.tls.KeyMaterial;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;

/** Checks a chain that a CA has issued before it is served. */
public final class IssuedChain {
    private IssuedChain() {}

    /**
     * Checks a chain, and combines it with its key.
     *
     * @throws GeneralSecurityException if they don't match, or aren't what was ordered; the message says why
     */
    public static KeyMaterial check(Wanted wanted, KeyPair key, List<X509Certificate> chain, Instant now)
            throws GeneralSecurityException {
        if (chain.isEmpty()) {
            throw new GeneralSecurityException("no certificate in it");
        }
        X509Certificate leaf = chain.get(0);
        if (!leaf.getPublicKey().equals(key.getPublic())) {
            throw new GeneralSecurityException("its first certificate isn't for the key of the order");
        }
        for (int i = 0; i + 1 < chain.size(); i++) {
            try {
                chain.get(i).verify(chain.get(i + 1).getPublicKey());
            } catch (GeneralSecurityException e) {
                throw new GeneralSecurityException(
                        "its certificate " + (i + 1) + " isn't signed by certificate " + (i + 2), e);
            }
        }
        if (leaf.getNotAfter().toInstant().isBefore(now)) {
            throw new GeneralSecurityException(
                    "its first certificate has expired at " + leaf.getNotAfter().toInstant());
        }
        KeyMaterial material = KeyMaterial.of(key.getPrivate(), chain);
        for (String name : wanted.names()) {
            if (Names.isWildcard(name) ? !material.names().contains(name) : !material.covers(name)) {
                throw new GeneralSecurityException("its first certificate isn't for " + name);
            }
        }
        return material;
    }
}
