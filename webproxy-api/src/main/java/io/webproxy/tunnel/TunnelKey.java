package io.webproxy.tunnel;

import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.WRITE;

import io.webproxy.tls.KeyMaterial;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * By what the two sides of a tunnel know each other: an EC key (P-256) in {@code NAME.key}, which only its owner may read, and a self-signed certificate for it in {@code
 * NAME.crt}, both PEM. Only the {@linkplain #fingerprint() fingerprint} of the key counts; names and dates in the certificate are never looked at. Immutable;
 * {@code toString} shows the fingerprint only.
 */
public final class TunnelKey {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
    private static final Pattern FINGERPRINT = Pattern.compile("sha256:[0-9a-f]{64}");
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN (PRIVATE KEY|CERTIFICATE)-----([A-Za-z0-9+/=\\s]+)-----END \\1-----");
    private static final int MOST_BYTES = 1 << 16;
    private static final Set<PosixFilePermission> OWNER = EnumSet.of(
            PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE, PosixFilePermission.OWNER_EXECUTE);

    private final KeyMaterial material;
    private final String fingerprint;

    private TunnelKey(KeyMaterial material) {
        this.material = material;
        this.fingerprint = fingerprintOf(material.leaf());
    }

    /**
     * Makes a new key and writes both files; the directory is made if it isn't there. Not for an IO thread.
     *
     * @param name 1 to 64 letters, digits, dots, hyphens or underscores
     * @throws IllegalArgumentException with one sentence, if the name is another, if there is such a key already, or if the files can't be written
     */
    public static TunnelKey create(Path directory, String name) {
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
            write(
                    directory.resolve(name + ".key"),
                    "rw-------",
                    pem("PRIVATE KEY", pair.getPrivate().getEncoded()));
            Path file = directory.resolve(name + ".crt");
            Files.deleteIfExists(file);
            write(file, "rw-r--r--", pem("CERTIFICATE", certificate.getEncoded()));
            return new TunnelKey(KeyMaterial.of(pair.getPrivate(), List.of(certificate)));
        } catch (FileAlreadyExistsException e) {
            throw new IllegalArgumentException(
                    "identity: " + e.getMessage() + " (expected: no such file; remove it if its agent is gone)", e);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "identity: " + directory + " can't be written: " + e.getMessage() + " (expected: a directory that"
                            + " this user may write to)",
                    e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("an EC key can't be made", e);
        }
    }

    /**
     * Reads both files. Not for an IO thread.
     *
     * @param identity {@code DIR/NAME}, without {@code .key} and {@code .crt}
     * @throws IllegalArgumentException with one sentence, if one is missing or damaged, if they don't belong together, or if others than its owner may read the key
     */
    public static TunnelKey load(Path identity) {
        Path keyFile = beside(identity, ".key");
        Path certificateFile = beside(identity, ".crt");
        try {
            refuseWhatOthersMayRead(keyFile);
            PrivateKey key = KeyFactory.getInstance("EC")
                    .generatePrivate(new PKCS8EncodedKeySpec(block(keyFile, "PRIVATE KEY")));
            X509Certificate certificate = (X509Certificate) CertificateFactory.getInstance("X.509")
                    .generateCertificate(new ByteArrayInputStream(block(certificateFile, "CERTIFICATE")));
            if (!belongTogether(key, certificate)) {
                throw new IllegalArgumentException("identity: " + certificateFile + " isn't the certificate of "
                        + keyFile + " (expected: two files that were made together)");
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
                            + " and a certificate in " + certificateFile + ")",
                    e);
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException(
                    "identity: " + identity + " is damaged (expected: an EC key in " + keyFile
                            + " and its certificate in " + certificateFile + ")",
                    e);
        }
    }

    /** Reads a key, or makes it if neither of its files is there. Not for an IO thread. */
    public static TunnelKey obtain(Path directory, String name) {
        Path identity = directory.resolve(name);
        return Files.exists(beside(identity, ".key")) || Files.exists(beside(identity, ".crt"))
                ? load(identity)
                : create(directory, name);
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

    /** What the other side pins: see {@link #fingerprintOf}. */
    public String fingerprint() {
        return fingerprint;
    }

    /** The key and its certificate. */
    public KeyMaterial material() {
        return material;
    }

    private static boolean belongTogether(PrivateKey key, X509Certificate certificate) throws GeneralSecurityException {
        byte[] probe = {1, 2, 3};
        Signature signing = Signature.getInstance("SHA256withECDSA");
        signing.initSign(key);
        signing.update(probe);
        Signature verifying = Signature.getInstance("SHA256withECDSA");
        verifying.initVerify(certificate.getPublicKey());
        verifying.update(probe);
        return verifying.verify(signing.sign());
    }

    private static void refuseWhatOthersMayRead(Path file) throws IOException {
        if (!file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            return;
        }
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
        if (!OWNER.containsAll(permissions)) {
            throw new IllegalArgumentException("identity: " + file + " can be used by others ("
                    + PosixFilePermissions.toString(permissions)
                    + ") (expected: 0600; make a new key, or chmod 600 it if you know that no one has read it)");
        }
    }

    private static byte[] block(Path file, String type) throws IOException {
        if (Files.size(file) > MOST_BYTES) {
            throw new IOException(file + " is too large");
        }
        Matcher block = BLOCK.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
        while (block.find()) {
            if (block.group(1).equals(type)) {
                try {
                    return Base64.getMimeDecoder().decode(block.group(2));
                } catch (IllegalArgumentException e) {
                    throw new IOException(file + " is no PEM file", e);
                }
            }
        }
        throw new IOException("there is no " + type + " in " + file);
    }

    private static void write(Path file, String permissions, String content) throws IOException {
        FileAttribute<?>[] attributes =
                file.getFileSystem().supportedFileAttributeViews().contains("posix")
                        ? new FileAttribute<?>[] {
                            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
                        }
                        : new FileAttribute<?>[0];
        try (FileChannel channel = FileChannel.open(file, Set.of(CREATE_NEW, WRITE), attributes)) {
            ByteBuffer bytes = ByteBuffer.wrap(content.getBytes(StandardCharsets.US_ASCII));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
    }

    private static String pem(String type, byte[] content) {
        Base64.Encoder lines = Base64.getMimeEncoder(64, new byte[] {'\n'});
        return "-----BEGIN " + type + "-----\n" + lines.encodeToString(content) + "\n-----END " + type + "-----\n";
    }

    @Override
    public String toString() {
        return fingerprint;
    }
}
