package io.webproxy.undertow.tls.keys;

import io.webproxy.ProxyStartException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads an operator's files; reports in one sentence why one can't be read. */
final class SmallFile {
    private static final int LIMIT = 1 << 24;

    private SmallFile() {}

    /**
     * Reads a whole file.
     *
     * @param what the expected content, for the message
     */
    static byte[] read(Path file, String what) {
        if (Files.isDirectory(file)) {
            throw new ProxyStartException(file + " is a directory (expected: a file with the " + what + ").");
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] content = in.readNBytes(LIMIT);
            if (content.length == LIMIT) {
                throw new ProxyStartException(file + " is too large (expected: a file with the " + what + ").");
            }
            return content;
        } catch (NoSuchFileException e) {
            throw new ProxyStartException(file + " doesn't exist (expected: a file with the " + what + ").", e);
        } catch (AccessDeniedException e) {
            throw new ProxyStartException(
                    file + " may not be read by this user: give it read permission for the " + what + ".", e);
        } catch (IOException e) {
            throw new ProxyStartException(file + " can't be read for the " + what + ": " + e.getMessage() + ".", e);
        }
    }
}
