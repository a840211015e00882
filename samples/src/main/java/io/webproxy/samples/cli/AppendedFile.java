package io.webproxy.samples.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file that lines are appended to. When its path names another file or none, as after a rotation, it is reopened
 * within a second; a file that was truncated in place is continued at its new end. Lines that can't be written are
 * lost: one WARN reports the start of that, one INFO the end.
 *
 * <p>Not thread-safe.
 */
final class AppendedFile implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.server");
    private static final long LOOKS_NANOS = Duration.ofSeconds(1).toNanos();
    private static final byte[] LINE_END = {'\n'};

    private final String name;
    private final Path path;
    private final LongSupplier nanoClock;
    private @Nullable FileChannel channel;
    private @Nullable Object key;
    private long lookedAt;
    private long lost;
    private boolean broken;

    private AppendedFile(String name, Path path, LongSupplier nanoClock) {
        this.name = name;
        this.path = path;
        this.nanoClock = nanoClock;
        this.lookedAt = nanoClock.getAsLong();
    }

    /**
     * Opens a file, which is created if it doesn't exist.
     *
     * @param name its name in log lines, such as {@code access log}
     * @param nanoClock monotonic, in nanoseconds
     * @throws IOException if it can't be written to
     */
    static AppendedFile open(String name, Path path, LongSupplier nanoClock) throws IOException {
        AppendedFile file = new AppendedFile(name, path, nanoClock);
        file.reopen();
        return file;
    }

    /** Appends whole lines. Never throws an {@link IOException}: a failure of logging must not end an exchange. */
    void append(byte[] lines) {
        long now = nanoClock.getAsLong();
        boolean due = now - lookedAt >= LOOKS_NANOS;
        if (lost > 0 && !due) {
            lost++;
            return;
        }
        try {
            if (due) {
                lookedAt = now;
                reopenIfMoved();
            }
            write(lines);
            if (lost > 0) {
                LOG.info("The {} {} is written again; lines lost: {}", name, path, lost);
                lost = 0;
            }
        } catch (IOException e) {
            lookedAt = now;
            if (lost++ == 0) {
                LOG.warn("The {} {} can't be written ({}), lines are lost: {}", name, path, reason(e), fix(e));
            }
        }
    }

    private void write(byte[] lines) throws IOException {
        FileChannel open = channel;
        if (open == null) {
            reopen();
            open = channel;
        }
        if (open == null) {
            throw new NoSuchFileException(path.toString());
        }
        if (broken) {
            writeAll(open, LINE_END);
            broken = false;
        }
        writeAll(open, lines);
    }

    private void writeAll(FileChannel open, byte[] bytes) throws IOException {
        ByteBuffer rest = ByteBuffer.wrap(bytes);
        try {
            while (rest.hasRemaining()) {
                open.write(rest);
            }
        } finally {
            broken |= rest.hasRemaining() && rest.position() > 0;
        }
    }

    private void reopenIfMoved() throws IOException {
        try {
            Object now = Files.readAttributes(path, BasicFileAttributes.class).fileKey();
            if (channel != null && (now == null || now.equals(key))) {
                return;
            }
        } catch (NoSuchFileException e) {
            // moved away, without a new one in its place
        }
        close();
        reopen();
    }

    private void reopen() throws IOException {
        channel =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
        key = Files.readAttributes(path, BasicFileAttributes.class).fileKey();
        broken = false;
    }

    private static String reason(IOException e) {
        String reason = e instanceof FileSystemException problem ? problem.getReason() : e.getMessage();
        if (reason != null) {
            return reason;
        }
        return e instanceof NoSuchFileException
                ? "no such directory"
                : e.getClass().getSimpleName();
    }

    private static String fix(IOException e) {
        String reason = reason(e);
        if (reason.startsWith("No space") || reason.startsWith("Disk quota")) {
            return "make room there; it goes on by itself.";
        }
        if (e instanceof NoSuchFileException) {
            return "make its directory again; it goes on by itself.";
        }
        return "see that this user may write there; it goes on by itself.";
    }

    @Override
    public void close() {
        FileChannel open = channel;
        channel = null;
        if (open != null) {
            try {
                open.close();
            } catch (IOException e) {
                LOG.debug("Closing {}", path, e);
            }
        }
    }
}
