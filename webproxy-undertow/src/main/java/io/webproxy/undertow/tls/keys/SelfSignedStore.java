package io.webproxy.undertow.tls.keys;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.WRITE;

import io.webproxy.ProxyStartException;
import io.webproxy.spi.PemSource;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.tls.SelfSigned;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.CertificateEncodingException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stores a self-signed certificate in a directory: {@code NAME.crt} and {@code NAME.key}. Processes may share it: a
 * process that makes a new pair holds a lock on {@code .lock}.
 *
 * <p>Each file is replaced atomically, the key first. If a process is killed in between, the pair doesn't match; that
 * is detected, and a new pair is made.
 */
public final class SelfSignedStore {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tls");
    private static final Object ONE_AT_A_TIME = new Object();
    private static final Set<PosixFilePermission> OWNER =
            Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE, PosixFilePermission.OWNER_EXECUTE);

    private final Path directory;
    private final String name;
    private final Path certificateFile;
    private final Path keyFile;
    private final Clock clock;

    /** The directory can't be used; the message is a sentence. */
    public static final class UnusableException extends Exception {
        private static final long serialVersionUID = 1;

        UnusableException(String message, Throwable cause) {
            super(message, cause);
        }

        public ProxyStartException failure() {
            return new ProxyStartException(String.valueOf(getMessage()), this);
        }
    }

    private SelfSignedStore(Path directory, String name, Clock clock) {
        this.directory = directory;
        this.name = name;
        this.certificateFile = directory.resolve(name + ".crt");
        this.keyFile = directory.resolve(name + ".key");
        this.clock = clock;
    }

    /** The store of a source; null if it isn't stored. */
    public static @Nullable SelfSignedStore of(SelfSigned source, Clock clock) {
        Path directory = source.directory().orElse(null);
        return directory == null ? null : new SelfSignedStore(directory, source.fileName(), clock);
    }

    /** Whether two thirds of a certificate's lifetime are over. */
    public static boolean isDue(KeyMaterial kept, Instant now) {
        Instant from = kept.leaf().getNotBefore().toInstant();
        Duration lifetime = Duration.between(from, kept.notAfter());
        return !now.isBefore(from.plus(lifetime.multipliedBy(2).dividedBy(3)));
    }

    /**
     * The stored pair, if it is for exactly these names and this type of key, and less than two thirds of its lifetime
     * are over; else a new pair, which is stored.
     *
     * @throws UnusableException if the directory can't be read or written
     * @throws ProxyStartException if others can read the key
     */
    public KeyMaterial obtain(List<String> names, boolean rsa) throws UnusableException {
        synchronized (ONE_AT_A_TIME) {
            try {
                // a valid pair needs no lock, which an unwritable directory couldn't have
                KeyMaterial kept = read(names, rsa);
                return kept == null ? makeLocked(names, rsa) : kept;
            } catch (IOException | CertificateEncodingException e) {
                throw new UnusableException(
                        "The self-signed certificate can't be kept in " + directory
                                + ": give this user write permission there, or another directory ("
                                + why(e) + ").",
                        e);
            }
        }
    }

    private static String why(Exception e) {
        return e instanceof FileSystemException && e.getClass() != FileSystemException.class
                ? e.getClass().getSimpleName().replace("Exception", "") + " " + e.getMessage()
                : String.valueOf(e.getMessage());
    }

    private KeyMaterial makeLocked(List<String> names, boolean rsa) throws IOException, CertificateEncodingException {
        if (!Files.isDirectory(directory)) {
            Files.createDirectories(directory, permissions("rwx------"));
        }
        Path file = directory.resolve(".lock");
        try (FileChannel channel = FileChannel.open(file, Set.of(CREATE, WRITE), permissions("rw-------"));
                FileLock lock = channel.lock()) {
            LOG.debug("Holding {}", lock);
            KeyMaterial other = read(names, rsa);
            if (other != null) {
                return other;
            }
            KeyMaterial made = SelfSignedMaker.make(names, rsa, clock.instant());
            store(made);
            LOG.info("Made a self-signed certificate, kept in {}", certificateFile);
            return made;
        }
    }

    private @Nullable KeyMaterial read(List<String> names, boolean rsa) {
        if (!Files.exists(certificateFile) || !Files.exists(keyFile)) {
            return null;
        }
        refuseWhatOthersMayUse();
        KeyMaterial kept;
        try {
            PemSource pem = (PemSource) Certificates.pem(certificateFile, keyFile);
            kept = KeyFiles.read(pem, clock.instant());
        } catch (ProxyStartException e) {
            LOG.info("Making a new self-signed certificate: {}", e.getMessage());
            return null;
        }
        Set<Object> served = new HashSet<>(kept.names());
        served.addAll(kept.addresses());
        boolean asWanted = served.equals(SelfSignedMaker.wanted(names))
                && kept.keyType().equals(rsa ? "RSA" : "EC")
                && !isDue(kept, clock.instant());
        return asWanted ? kept : null;
    }

    /** With the key others could impersonate this server as long as clients trust the certificate. */
    private void refuseWhatOthersMayUse() {
        if (!directory.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            return;
        }
        try {
            Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(keyFile);
            if (!OWNER.containsAll(permissions)) {
                throw new ProxyStartException("The key " + keyFile + " can be used by others ("
                        + PosixFilePermissions.toString(permissions) + "): remove it and " + name
                        + ".crt, so that a new one is made, or chmod 600 it if you know that no one has read it.");
            }
        } catch (IOException e) {
            LOG.debug("The permissions of {} can't be read", keyFile, e);
        }
    }

    private void store(KeyMaterial entry) throws IOException, CertificateEncodingException {
        replace(keyFile, "rw-------", pem("PRIVATE KEY", entry.key().getEncoded()));
        replace(certificateFile, "rw-r--r--", pem("CERTIFICATE", entry.leaf().getEncoded()));
    }

    /** Writes a temporary file, with its permissions from the first moment, then moves it into place. */
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
