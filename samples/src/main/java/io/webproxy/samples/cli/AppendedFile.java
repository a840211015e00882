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
 * within a second, or when it is told to; a file that was truncated in place is continued at its new end. Lines that
 * can't be written are lost, and counted; it is tried again a second later.
 *
 * <p>Not thread-safe.
 */
final class AppendedFile implements LineWriter.Target {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.server");
    private static final long LOOKS_NANOS = Duration.ofSeconds(1).toNanos();
    private static final byte[] LINE_END = {'\n'};

    private final Path path;
    private final LongSupplier nanoClock;
    private final LostLines lost;
    private @Nullable FileChannel channel;
    private @Nullable Object key;
    private long lookedAt;
    private boolean failing;
    private boolean broken;

    private AppendedFile(String name, Path path, LongSupplier nanoClock) {
        this.path = path;
        this.nanoClock = nanoClock;
        this.lost = new LostLines(name + " " + path);
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
        file.openAnew();
        return file;
    }

    @Override
    public void append(ByteBuffer lines) {
        long now = nanoClock.getAsLong();
        boolean due = now - lookedAt >= LOOKS_NANOS;
        if (failing && !due) {
            lost.skipped(lines);
            return;
        }
        try {
            if (due) {
                lookedAt = now;
                reopenIfMoved();
            }
            write(lines);
            failing = false;
            lost.written(now);
        } catch (IOException e) {
            lookedAt = now;
            failing = true;
            lost.failed(lines, reason(e), fix(e));
        }
    }

    @Override
    public void dropped(long lines) {
        lost.dropped(lines, nanoClock.getAsLong());
    }

    /** Opens it anew at once, without waiting for a line; the next one tries again if that fails. */
    @Override
    public void reopen() {
        closeChannel();
        failing = false;
        try {
            openAnew();
        } catch (IOException e) {
            LOG.debug("Opening {}", path, e);
        }
    }

    private void write(ByteBuffer lines) throws IOException {
        FileChannel open = channel;
        if (open == null) {
            openAnew();
            open = channel;
        }
        if (open == null) {
            throw new NoSuchFileException(path.toString());
        }
        if (broken) {
            writeAll(open, ByteBuffer.wrap(LINE_END));
            broken = false;
        }
        writeAll(open, lines);
    }

    private void writeAll(FileChannel open, ByteBuffer bytes) throws IOException {
        int from = bytes.position();
        try {
            while (bytes.hasRemaining()) {
                open.write(bytes);
            }
        } finally {
            int to = bytes.position();
            broken |= bytes.hasRemaining() && to > from && bytes.get(to - 1) != '\n';
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
        closeChannel();
        openAnew();
    }

    private void openAnew() throws IOException {
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
            return "make room there";
        }
        if (e instanceof NoSuchFileException) {
            return "make its directory again";
        }
        return "see that this user may write there";
    }

    @Override
    public void close() {
        lost.end();
        closeChannel();
    }

    private void closeChannel() {
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
