package io.webproxy.undertow.tls;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.WRITE;

import io.webproxy.ProxyStartException;
import io.webproxy.tls.CertificateSource;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.KeyMaterial;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.CertificateEncodingException;
import java.time.Clock;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a self-signed certificate in a directory: {@code self-signed.crt} and {@code self-signed.key}.
 *
 * <p>Each file is replaced at once, the key first. Whoever is killed in between leaves a pair that doesn't match; it is
 * found out and made anew.
 */
final class SelfSignedStore {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tls");
    private static final Object ONE_AT_A_TIME = new Object();

    private final Path directory;
    private final Path certificateFile;
    private final Path keyFile;
    private final Clock clock;

    SelfSignedStore(Path directory, Clock clock) {
        this.directory = directory;
        this.certificateFile = directory.resolve("self-signed.crt");
        this.keyFile = directory.resolve("self-signed.key");
        this.clock = clock;
    }

    /**
     * What is kept, as long as it is valid for exactly these names and this kind of key; else a new pair, kept from
     * now.
     */
    KeyMaterial obtain(List<String> names, boolean rsa) {
        synchronized (ONE_AT_A_TIME) {
            if (Files.exists(certificateFile) && Files.exists(keyFile)) {
                KeyMaterial kept = read(names, rsa);
                if (kept != null) {
                    return kept;
                }
            }
            KeyMaterial made = SelfSigned.make(names, rsa, clock.instant());
            try {
                store(made);
            } catch (IOException | CertificateEncodingException e) {
                throw new ProxyStartException(
                        "The self-signed certificate can't be kept in " + directory
                                + ": give this user write permission there, or another directory ("
                                + e.getMessage() + ").",
                        e);
            }
            LOG.info("Made a self-signed certificate and keep it in {}", directory);
            return made;
        }
    }

    private @Nullable KeyMaterial read(List<String> names, boolean rsa) {
        KeyMaterial kept;
        try {
            CertificateSource.Pem pem = (CertificateSource.Pem) Certificates.pem(certificateFile, keyFile);
            kept = CertificateLoader.pem(pem, clock.instant());
        } catch (ProxyStartException e) {
            LOG.info("Making a new self-signed certificate: {}", e.getMessage());
            return null;
        }
        Set<Object> served = new HashSet<>(kept.names());
        served.addAll(kept.addresses());
        boolean asWanted = served.equals(SelfSigned.wanted(names))
                && kept.keyType().equals(rsa ? "RSA" : "EC")
                && !CertificateLoader.expiresSoon(kept, clock.instant());
        return asWanted ? kept : null;
    }

    private void store(KeyMaterial entry) throws IOException, CertificateEncodingException {
        if (!Files.isDirectory(directory)) {
            Files.createDirectories(directory, permissions("rwx------"));
        }
        replace(keyFile, "rw-------", pem("PRIVATE KEY", entry.key().getEncoded()));
        replace(certificateFile, "rw-r--r--", pem("CERTIFICATE", entry.leaf().getEncoded()));
    }

    /** Writes beside the file, with the permissions from the first moment, then takes its place. */
    private void replace(Path file, String permissions, String content) throws IOException {
        Path beside = directory.resolve(file.getFileName() + ".new");
        Files.deleteIfExists(beside);
        try (FileChannel channel = FileChannel.open(beside, Set.of(CREATE_NEW, WRITE), permissions(permissions))) {
            ByteBuffer bytes = ByteBuffer.wrap(content.getBytes(StandardCharsets.US_ASCII));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(beside, file, ATOMIC_MOVE, REPLACE_EXISTING);
    }

    private FileAttribute<?>[] permissions(String permissions) {
        Set<String> views = directory.getFileSystem().supportedFileAttributeViews();
        return views.contains("posix")
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
                }
                : new FileAttribute<?>[0];
    }

    private static String pem(String type, byte[] content) {
        Base64.Encoder lines = Base64.getMimeEncoder(64, new byte[] {'\n'});
        return "-----BEGIN " + type + "-----\n" + lines.encodeToString(content) + "\n-----END " + type + "-----\n";
    }
}
