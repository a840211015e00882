package io.webproxy.undertow.tls.keys;

import io.webproxy.ProxyStartException;
import io.webproxy.tls.KeyMaterial;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Combines a key and certificates: finds the key's leaf certificate, orders the chain, and reports a problem in one
 * sentence.
 */
final class ChainCheck {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tls");
    private static final byte[] PROBE = new byte[32];

    private ChainCheck() {}

    /**
     * The key with its chain.
     *
     * @param file the file of the certificates
     * @param keyFile the file of the key
     */
    static KeyMaterial entry(Path file, Path keyFile, PrivateKey key, List<X509Certificate> unordered, Instant now) {
        List<X509Certificate> rest = new ArrayList<>(new LinkedHashSet<>(unordered));
        X509Certificate leaf = unordered.stream()
                .filter(certificate -> belongTogether(key, certificate.getPublicKey()))
                .findFirst()
                .orElseThrow(() -> new ProxyStartException("The key in " + keyFile
                        + " doesn't belong to the certificate in " + file
                        + ": give the key that the certificate was requested with."));
        rest.remove(leaf);
        checkStarted(file, leaf, now);
        List<X509Certificate> chain = chainOf(leaf, rest);
        if (!rest.isEmpty()) {
            LOG.warn(
                    "{} holds {} certificate(s) that don't belong to the chain of {}: they aren't sent",
                    file,
                    rest.size(),
                    leaf.getSubjectX500Principal());
        } else if (!chain.equals(unordered)) {
            LOG.info("The chain in {} is sent in order, leaf first", file);
        }
        try {
            return KeyMaterial.of(key, chain);
        } catch (IllegalArgumentException e) {
            throw new ProxyStartException("The names of the certificate in " + file + " can't be read.", e);
        }
    }

    /** The caller checks the end of the validity: at a start an expired certificate is better than none. */
    private static void checkStarted(Path file, X509Certificate leaf, Instant now) {
        Instant from = leaf.getNotBefore().toInstant();
        if (now.isBefore(from)) {
            throw new ProxyStartException("The certificate in " + file + " isn't valid before " + from
                    + ": check this machine's clock, or use another certificate.");
        }
    }

    /** The leaf, its issuer, the issuer's issuer and so on; removes them from {@code rest} (RFC 8446 section 4.4.2). */
    private static List<X509Certificate> chainOf(X509Certificate leaf, List<X509Certificate> rest) {
        List<X509Certificate> chain = new ArrayList<>(List.of(leaf));
        X509Certificate issuer = issuerOf(leaf, rest);
        while (issuer != null) {
            chain.add(issuer);
            rest.remove(issuer);
            issuer = issuerOf(issuer, rest);
        }
        return chain;
    }

    private static @Nullable X509Certificate issuerOf(X509Certificate issued, List<X509Certificate> candidates) {
        for (X509Certificate candidate : candidates) {
            if (candidate.getSubjectX500Principal().equals(issued.getIssuerX500Principal())) {
                try {
                    issued.verify(candidate.getPublicKey());
                    return candidate;
                } catch (GeneralSecurityException e) {
                    LOG.debug("Same name, other key: {}", candidate.getSubjectX500Principal());
                }
            }
        }
        return null;
    }

    /** Whether the public key verifies what the private key signs. */
    static boolean belongTogether(PrivateKey key, PublicKey publicKey) {
        if (!key.getAlgorithm().equals(publicKey.getAlgorithm())) {
            return false;
        }
        try {
            Signature signer = signature(key.getAlgorithm());
            signer.initSign(key);
            signer.update(PROBE);
            byte[] signed = signer.sign();
            Signature verifier = signature(key.getAlgorithm());
            verifier.initVerify(publicKey);
            verifier.update(PROBE);
            return verifier.verify(signed);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    private static Signature signature(String keyType) throws GeneralSecurityException {
        Signature signature = Signature.getInstance(
                switch (keyType) {
                    case "RSA" -> "SHA256withRSA";
                    case "EC" -> "SHA256withECDSA";
                    default -> keyType;
                });
        if (keyType.equals("RSASSA-PSS")) {
            AlgorithmParameterSpec pss = new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1);
            signature.setParameter(pss);
        }
        return signature;
    }
}
