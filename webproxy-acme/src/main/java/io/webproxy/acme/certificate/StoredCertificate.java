package io.webproxy.acme.certificate;

import io.webproxy.tls.KeyMaterial;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A certificate in its stored form: key and chain in one PEM text (RFC 7468), so that a crash can't separate them,
 * after comment lines that describe it. One of these is a checksum of what follows; without that line, key and chain
 * are accepted if they match.
 *
 * @param obtainedAt when it was issued, by this machine's clock
 */
public record StoredCertificate(KeyMaterial material, Instant obtainedAt) {
    private static final Pattern OBTAINED = Pattern.compile("(?m)^# obtained: (\\S+)$");
    private static final Pattern CHECKSUM = Pattern.compile("(?m)^# sha256 of the rest: (\\S+)\n");

    public StoredCertificate {
        obtainedAt = obtainedAt.truncatedTo(ChronoUnit.SECONDS);
    }

    /** Thrown for a stored certificate that can't be served; the message ends a sentence that starts with its place. */
    public static final class Damaged extends Exception {
        private static final long serialVersionUID = 1;

        Damaged(String what) {
            super(what);
        }

        Damaged(String what, Exception cause) {
            super(what, cause);
        }
    }

    /** The stored form. */
    public byte[] print() {
        StringBuilder pem = new StringBuilder();
        pem.append(new Pem("PRIVATE KEY", material.key().getEncoded()).text());
        try {
            for (X509Certificate certificate : material.chain()) {
                pem.append(new Pem("CERTIFICATE", certificate.getEncoded()).text());
            }
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("a certificate without an encoding", e);
        }
        String text = "# " + material + "\n"
                + "# issuer: "
                + material.leaf().getIssuerX500Principal().getName().replaceAll("\\s", " ") + "\n"
                + "# obtained: " + obtainedAt + "\n"
                + "# sha256 of the rest: " + sha256(pem.toString()) + "\n"
                + pem;
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Parses the stored form.
     *
     * @throws Damaged if a part of it is missing or damaged, or its key doesn't match
     */
    public static StoredCertificate parse(byte[] kept) throws Damaged {
        String text = new String(kept, StandardCharsets.UTF_8);
        Matcher checksum = CHECKSUM.matcher(text);
        if (checksum.find() && !checksum.group(1).equals(sha256(text.substring(checksum.end())))) {
            throw new Damaged("is damaged: it doesn't match its checksum");
        }
        List<X509Certificate> chain = new ArrayList<>();
        byte[] key = null;
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            for (Pem block : Pem.all(text)) {
                if (block.type().equals("PRIVATE KEY")) {
                    key = block.content();
                } else if (block.type().equals("CERTIFICATE")) {
                    chain.add((X509Certificate) factory.generateCertificate(new ByteArrayInputStream(block.content())));
                }
            }
            if (key == null || chain.isEmpty()) {
                throw new Damaged("is damaged: there is no " + (key == null ? "key" : "certificate") + " in it");
            }
            KeyMaterial material = KeyMaterial.of(
                    KeyFactory.getInstance(chain.get(0).getPublicKey().getAlgorithm())
                            .generatePrivate(new PKCS8EncodedKeySpec(key)),
                    chain);
            if (!matches(material)) {
                throw new Damaged("is damaged: its key is of another certificate");
            }
            return new StoredCertificate(material, obtainedAt(text, chain.get(0)));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new Damaged("is damaged: its key or a certificate can't be read", e);
        }
    }

    private static Instant obtainedAt(String text, X509Certificate leaf) {
        Matcher obtained = OBTAINED.matcher(text);
        try {
            return obtained.find()
                    ? Instant.parse(obtained.group(1))
                    : leaf.getNotBefore().toInstant();
        } catch (DateTimeException e) {
            return leaf.getNotBefore().toInstant();
        }
    }

    /** Whether the key matches the certificate. */
    public static boolean matches(KeyMaterial material) {
        return Keys.belongTogether(new KeyPair(material.leaf().getPublicKey(), material.key()));
    }

    private static String sha256(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
