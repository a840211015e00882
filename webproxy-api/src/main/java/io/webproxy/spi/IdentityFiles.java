package io.webproxy.spi;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The PEM files of an identity. A file gets its name only when it is complete, on disk and has its permissions: a
 * process that is killed earlier leaves a file of another name, which is never read.
 */
final class IdentityFiles {
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN (PRIVATE KEY|CERTIFICATE)-----([A-Za-z0-9+/=\\s]+)-----END \\1-----");
    private static final int MOST_BYTES = 1 << 16;
    private static final Set<PosixFilePermission> OWNER = EnumSet.of(
            PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE, PosixFilePermission.OWNER_EXECUTE);

    private IdentityFiles() {}

    /**
     * Creates a file that only its owner may read.
     *
     * @throws FileAlreadyExistsException if it exists; of several processes that create it at once, one succeeds
     */
    static void create(Path file, String type, byte[] content) throws IOException {
        Path beside = write(file, "rw-------", type, content);
        try {
            link(beside, file);
        } finally {
            Files.deleteIfExists(beside);
        }
        force(file);
    }

    private static void link(Path beside, Path file) throws IOException {
        try {
            Files.createLink(file, beside);
        } catch (FileAlreadyExistsException e) {
            throw (IOException) new FileAlreadyExistsException(file.toString()).initCause(e);
        } catch (UnsupportedOperationException | FileSystemException e) {
            // some file systems have no links: an existing file isn't replaced, unless it appears at this moment
            Files.move(beside, file);
        }
    }

    /** Creates or replaces a file that all users may read. */
    static void replace(Path file, String type, byte[] content) throws IOException {
        Path beside = write(file, "rw-r--r--", type, content);
        try {
            Files.move(beside, file, ATOMIC_MOVE, REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(beside);
        }
        force(file);
    }

    private static Path write(Path file, String permissions, String type, byte[] content) throws IOException {
        Path beside = file.resolveSibling(
                "." + file.getFileName() + ".new-" + HexFormat.of().toHexDigits(new SecureRandom().nextLong()));
        FileAttribute<?>[] attributes =
                file.getFileSystem().supportedFileAttributeViews().contains("posix")
                        ? new FileAttribute<?>[] {
                            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
                        }
                        : new FileAttribute<?>[0];
        try (FileChannel channel = FileChannel.open(beside, Set.of(CREATE_NEW, WRITE), attributes)) {
            ByteBuffer bytes = ByteBuffer.wrap(pem(type, content).getBytes(StandardCharsets.US_ASCII));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        } catch (IOException e) {
            Files.deleteIfExists(beside);
            throw e;
        }
        return beside;
    }

    /** Forces the file's name to disk too. */
    private static void force(Path file) {
        Path directory = file.toAbsolutePath().getParent();
        try (FileChannel channel = FileChannel.open(directory, READ)) {
            channel.force(true);
        } catch (IOException e) {
            // not every system can open a directory
        }
    }

    /** The content of a block of this type. */
    static byte[] read(Path file, String type) throws IOException {
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
        throw new IOException("there is no whole " + type + " in " + file);
    }

    /**
     * Throws an {@link IllegalArgumentException} with one sentence if others than its owner have any access to a file.
     */
    static void refuseWhatOthersMayRead(Path file) throws IOException {
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

    private static String pem(String type, byte[] content) {
        Base64.Encoder lines = Base64.getMimeEncoder(64, new byte[] {'\n'});
        return "-----BEGIN " + type + "-----\n" + lines.encodeToString(content) + "\n-----END " + type + "-----\n";
    }
}
