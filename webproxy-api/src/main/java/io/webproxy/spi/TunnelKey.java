package io.webproxy.spi;

import io.webproxy.tls.KeyMaterial;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * The key of one side of a tunnel: an EC key (P-256) in {@code NAME.key}, which only its owner may read, and a
 * self-signed certificate for it in {@code NAME.crt}, both PEM. Only the {@linkplain #fingerprint() fingerprint} of the
 * key counts; names and dates in the certificate are ignored. Immutable; {@code toString} shows the fingerprint only.
 */
public final class TunnelKey {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
    private static final Pattern FINGERPRINT = Pattern.compile("sha256:[0-9a-f]{64}");

    private static final String KEY_BLOCK = "PRIVATE KEY";
    private static final String CERTIFICATE_BLOCK = "CERTIFICATE";

    private final KeyMaterial material;
    private final String fingerprint;

    private TunnelKey(KeyMaterial material) {
        this.material = material;
        this.fingerprint = fingerprintOf(material.leaf());
    }

    /**
     * Makes a new key and writes both files; a missing directory is created. A process that is killed meanwhile leaves
     * nothing, or a key whose certificate is made when it is {@linkplain #load loaded}. Not for an IO thread.
     *
     * @param name 1 to 64 letters, digits, dots, hyphens or underscores
     * @throws IllegalArgumentException with one sentence, if the name is invalid, the key exists already, or the files
     *     can't be written
     */
    public static TunnelKey create(Path directory, String name) {
        try {
            return make(directory, name);
        } catch (FileAlreadyExistsException e) {
            throw new IllegalArgumentException(
                    "identity: " + e.getMessage() + " (expected: no such file; remove it if its agent is gone)", e);
        } catch (IOException e) {
            throw unwritable(directory, e);
        }
    }

    private static IllegalArgumentException unwritable(Path directory, IOException e) {
        return new IllegalArgumentException(
                "identity: " + directory + " can't be written: " + e.getMessage() + " (expected: a directory that"
                        + " this user may write to)",
                e);
    }

    private static TunnelKey make(Path directory, String name) throws IOException {
        if (!NAME.matcher(Objects.requireNonNull(name, "name")).matches()) {
            throw new IllegalArgumentException(
                    "name: '" + name + "' (expected: 1-64 letters, digits, dots, hyphens or underscores)");
        }
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            KeyPair pair = generator.generateKeyPair();
            X509Certificate certificate = SelfSignedCertificate.make(pair, name);
            Files.createDirectories(directory);
            IdentityFiles.create(
                    directory.resolve(name + ".key"),
                    KEY_BLOCK,
                    pair.getPrivate().getEncoded());
            IdentityFiles.replace(directory.resolve(name + ".crt"), CERTIFICATE_BLOCK, certificate.getEncoded());
            return new TunnelKey(KeyMaterial.of(pair.getPrivate(), List.of(certificate)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("an EC key can't be made", e);
        }
    }

    /**
     * Reads both files. A missing certificate is made again from its key, because only the key counts. Not for an IO
     * thread.
     *
     * @param identity {@code DIR/NAME}, without {@code .key} and {@code .crt}
     * @throws IllegalArgumentException with one sentence, if the key is missing, a file is damaged, the files don't
     *     match, or others than the owner may read the key
     */
    public static TunnelKey load(Path identity) {
        Path keyFile = beside(identity, ".key");
        Path certificateFile = beside(identity, ".crt");
        try {
            IdentityFiles.refuseWhatOthersMayRead(keyFile);
            PrivateKey key = KeyFactory.getInstance("EC")
                    .generatePrivate(new PKCS8EncodedKeySpec(IdentityFiles.read(keyFile, KEY_BLOCK)));
            X509Certificate certificate =
                    Files.exists(certificateFile) ? read(certificateFile) : restored(key, identity, certificateFile);
            if (!PublicKeys.belongTogether(key, certificate.getPublicKey())) {
                throw new IllegalArgumentException("identity: " + certificateFile + " isn't the certificate of "
                        + keyFile + " (expected: two files that were made together; a certificate that is removed is"
                        + " made again)");
            }
            return new TunnelKey(KeyMaterial.of(key, List.of(certificate)));
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException(
                    "identity: " + e.getMessage() + " isn't there (expected: " + keyFile + " and " + certificateFile
                            + ", as agent-key makes them)",
                    e);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "identity: " + identity + " can't be read: " + e.getMessage() + " (expected: a key in " + keyFile
                            + " and a certificate in " + certificateFile + "; a certificate that is removed is made"
                            + " again)",
                    e);
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException(
                    "identity: " + identity + " is damaged (expected: an EC key in " + keyFile
                            + " and its certificate in " + certificateFile + "; a certificate that is removed is made"
                            + " again)",
                    e);
        }
    }

    private static X509Certificate read(Path file) throws IOException, GeneralSecurityException {
        return (X509Certificate) CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(IdentityFiles.read(file, CERTIFICATE_BLOCK)));
    }

    /** The certificate was removed, or the process that made the key was killed before it wrote the certificate. */
    private static X509Certificate restored(PrivateKey key, Path identity, Path file) throws GeneralSecurityException {
        X509Certificate certificate = SelfSignedCertificate.make(
                new KeyPair(PublicKeys.of(key), key), String.valueOf(identity.getFileName()));
        try {
            IdentityFiles.replace(file, CERTIFICATE_BLOCK, certificate.getEncoded());
        } catch (IOException e) {
            // the next start makes it again
        }
        return certificate;
    }

    /**
     * Reads a key, or makes it if neither of its files exists; processes that do so at the same time get the same key.
     * Not for an IO thread.
     */
    public static TunnelKey obtain(Path directory, String name) {
        Path identity = directory.resolve(name);
        if (Files.exists(beside(identity, ".key")) || Files.exists(beside(identity, ".crt"))) {
            return load(identity);
        }
        try {
            return make(directory, name);
        } catch (FileAlreadyExistsException e) {
            // by another process, just now
            return load(identity);
        } catch (IOException e) {
            throw unwritable(directory, e);
        }
    }

    private static Path beside(Path identity, String ending) {
        return identity.resolveSibling(identity.getFileName() + ending);
    }

    /** {@code sha256:} and 64 hexadecimal digits in lower case: the hash of the certificate's SubjectPublicKeyInfo. */
    public static String fingerprintOf(X509Certificate certificate) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256")
                    .digest(certificate.getPublicKey().getEncoded());
            return "sha256:" + HexFormat.of().formatHex(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }

    /** Whether a text is a fingerprint as {@link #fingerprintOf} writes it. */
    public static boolean isFingerprint(String text) {
        return FINGERPRINT.matcher(text).matches();
    }

    /** The fingerprint for the other side to pin: see {@link #fingerprintOf}. */
    public String fingerprint() {
        return fingerprint;
    }

    /** The key and its certificate. */
    public KeyMaterial material() {
        return material;
    }

    @Override
    public String toString() {
        return fingerprint;
    }
}
