package io.webproxy.undertow.auth;

import io.webproxy.undertow.tls.FileStamp;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Watches an htpasswd file, and keeps the users of its last valid version. Thread-safe; reads files. */
final class WatchedPasswordFile {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.auth");

    /** A file changed as late as this may change again without looking different. */
    private static final long SETTLED_AFTER = TimeUnit.SECONDS.toMillis(2);

    private final Path file;
    private final Supplier<@Nullable String> sender;
    private @Nullable FileStamp read;
    private @Nullable String complaint;
    private @Nullable PasswordFile users;
    /** Whether the last version was refused only because its users are sent to upstreams. */
    private boolean unsendable;

    /**
     * Watches a file.
     *
     * @param sender who sends its users to upstreams, at each reading; null if none does
     */
    WatchedPasswordFile(Path file, Supplier<@Nullable String> sender) {
        this.file = file;
        this.sender = sender;
    }

    Path file() {
        return file;
    }

    /**
     * Reads the file now.
     *
     * @throws IllegalArgumentException if it is invalid
     */
    synchronized PasswordFile read() {
        unsendable = false;
        FileStamp before = FileStamp.of(file);
        PasswordFile now = PasswordFile.read(file);
        if (users != null && !now.isEnded() && !now.sameAs(users)) {
            throw new IllegalArgumentException("htpasswd: " + file
                    + " has changed and ends without a line end, as if it were cut (expected: a line end after"
                    + " the last line)");
        }
        String by = sender.get();
        if (by != null) {
            unsendable = true;
            now.checkSendable(by);
            unsendable = false;
        }
        read = isSettled(before) ? before : null;
        complaint = null;
        PasswordFile last = users;
        if (last != null && now.sameAs(last)) {
            return last;
        }
        users = now;
        return now;
    }

    /** Checks whether the file has changed; returns the new users, or null if it is unchanged or invalid. */
    synchronized @Nullable PasswordFile poll() {
        FileStamp stamp = FileStamp.of(file);
        if (stamp.equals(read) && !(unsendable && sender.get() == null)) {
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
            read = isSettled(stamp) ? stamp : null;
            return null;
        }
    }

    private static boolean isSettled(FileStamp stamp) {
        FileTime modified = stamp.modified();
        return modified != null && System.currentTimeMillis() - modified.toMillis() > SETTLED_AFTER;
    }
}
