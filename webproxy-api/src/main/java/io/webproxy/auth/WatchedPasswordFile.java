package io.webproxy.auth;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows when an htpasswd file has changed, and keeps the users of the last file that could be used. Thread-safe; reads
 * files.
 */
final class WatchedPasswordFile {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.auth");

    /** A file changed as late as this may change again without looking different. */
    private static final long SETTLED_AFTER = TimeUnit.SECONDS.toMillis(2);

    /** What looks different when a file has changed. */
    private record Stamp(
            FileTime modified, long size, @Nullable Object fileKey) {
        static @Nullable Stamp of(Path file) {
            try {
                BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
                return new Stamp(attributes.lastModifiedTime(), attributes.size(), attributes.fileKey());
            } catch (IOException e) {
                return null;
            }
        }

        boolean isSettled() {
            return System.currentTimeMillis() - modified.toMillis() > SETTLED_AFTER;
        }
    }

    private final Path file;
    private @Nullable Stamp read;
    private @Nullable String complaint;
    private @Nullable PasswordFile users;

    WatchedPasswordFile(Path file) {
        this.file = file;
    }

    Path file() {
        return file;
    }

    /**
     * The users as the file has them now.
     *
     * @throws IllegalArgumentException if it can't be used
     */
    synchronized PasswordFile read() {
        Stamp before = Stamp.of(file);
        PasswordFile now = PasswordFile.read(file);
        if (users != null && !now.isEnded() && !now.sameAs(users)) {
            throw new IllegalArgumentException(
                    "htpasswd: " + file
                            + " has changed and ends without a line end, as if it were cut (expected: a line end after the last line)");
        }
        read = before != null && before.isSettled() ? before : null;
        complaint = null;
        PasswordFile last = users;
        if (last != null && now.sameAs(last)) {
            return last;
        }
        users = now;
        return now;
    }

    /** Looks whether the file has changed; gives the new users, or null if all is as it was or can't be used. */
    synchronized @Nullable PasswordFile poll() {
        Stamp stamp = Stamp.of(file);
        if (stamp != null && stamp.equals(read)) {
            return null;
        }
        PasswordFile last = users;
        try {
            PasswordFile now = read();
            if (now == last) {
                return null;
            }
            LOG.info("Read {} again, users in it: {}", file, now.size());
            return now;
        } catch (IllegalArgumentException e) {
            String message = String.valueOf(e.getMessage());
            if (!message.equals(complaint)) {
                complaint = message;
                LOG.warn("{}; the users from before stay in force", message);
            }
            read = stamp != null && stamp.isSettled() ? stamp : null;
            return null;
        }
    }
}
