package io.webproxy.undertow.tls.keys;

import io.webproxy.ProxyStartException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.bouncycastle.util.io.pem.PemObject;
import org.bouncycastle.util.io.pem.PemReader;
import org.jspecify.annotations.Nullable;

/** A PEM file (RFC 7468): its blocks in order; text between them is skipped. Immutable. */
final class PemFile {
    private static final Set<String> CERTIFICATE = Set.of("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE");

    private final Path file;
    private final String what;
    private final List<PemObject> blocks;

    private PemFile(Path file, String what, List<PemObject> blocks) {
        this.file = file;
        this.what = what;
        this.blocks = blocks;
    }

    /**
     * Reads a file.
     *
     * @param what the expected content, for the message if there is none
     */
    static PemFile read(Path file, String what) {
        String text = new String(SmallFile.read(file, what), StandardCharsets.ISO_8859_1);
        List<PemObject> blocks = new ArrayList<>();
        try (PemReader reader = new PemReader(new StringReader(text))) {
            for (PemObject block = reader.readPemObject(); block != null; block = reader.readPemObject()) {
                blocks.add(block);
            }
        } catch (IOException | RuntimeException e) {
            throw new ProxyStartException(file + " is damaged: it is no PEM file (expected: the " + what + ").", e);
        }
        return new PemFile(file, what, blocks);
    }

    /** All certificates, at least one. */
    List<X509Certificate> certificates() {
        List<X509Certificate> certificates = new ArrayList<>();
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            for (PemObject block : blocks) {
                if (CERTIFICATE.contains(block.getType())) {
                    certificates.add((X509Certificate)
                            factory.generateCertificate(new ByteArrayInputStream(block.getContent())));
                }
            }
        } catch (CertificateException e) {
            throw new ProxyStartException(
                    file + " is damaged: certificate " + (certificates.size() + 1) + " in it can't be read.", e);
        }
        if (certificates.isEmpty()) {
            throw new ProxyStartException(
                    "There is no certificate in " + file + " (expected: the " + what + ", as PEM).");
        }
        return certificates;
    }

    /**
     * The first key.
     *
     * @param password of an encrypted key, null for none
     */
    PrivateKey key(@Nullable String password) {
        for (PemObject block : blocks) {
            if (block.getType().endsWith("PRIVATE KEY")) {
                return new PemKey(file, block).decode(password);
            }
        }
        throw new ProxyStartException("There is no key in " + file + " (expected: the " + what + ", as PEM).");
    }
}
