package io.webproxy.samples.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.PatternLayout;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Writes the lines of one logger to a file or to standard output, on a thread of its own: what holds up a disk, or the
 * reader of standard output, holds up no request.
 */
final class LogFile implements AutoCloseable {
    private final Logger log;
    private final @Nullable LineAppender appender;
    private final @Nullable Level levelBefore;
    private final boolean additiveBefore;
    private final boolean file;

    private LogFile(Logger log, @Nullable LineAppender appender, boolean file) {
        this.log = log;
        this.file = file;
        this.appender = appender;
        this.levelBefore = log.getLevel();
        this.additiveBefore = log.isAdditive();
    }

    /** Hands lines to a writer, on the thread of whoever logs. */
    private static final class LineAppender extends UnsynchronizedAppenderBase<ILoggingEvent> {
        private final LineWriter writer;
        private final @Nullable PatternLayout layout;

        LineAppender(LineWriter writer, @Nullable PatternLayout layout) {
            this.writer = writer;
            this.layout = layout;
        }

        @Override
        protected void append(ILoggingEvent event) {
            writer.add(layout == null ? event.getFormattedMessage() + "\n" : layout.doLayout(event));
        }

        @Override
        public void stop() {
            super.stop();
            writer.close();
        }
    }

    /**
     * Turns the access log on; its lines contain their time.
     *
     * @param file a path, - for standard output, null to leave it off
     * @throws IllegalStateException if the file can't be written
     */
    static LogFile ofRequests(@Nullable String file) {
        return open("io.webproxy.access", "access log", null, file);
    }

    /** The same for the log of relays; the time is put before its lines. */
    static LogFile ofRelays(@Nullable String file) {
        return open("io.webproxy.relay", "relay log", "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %msg%n", file);
    }

    private static LogFile open(String logger, String name, @Nullable String pattern, @Nullable String file) {
        Logger log = (Logger) LoggerFactory.getLogger(logger);
        LogFile opened = new LogFile(
                log, file == null ? null : appender(name, pattern, file), file != null && !file.equals("-"));
        opened.attach(name);
        return opened;
    }

    private static LineAppender appender(String name, @Nullable String pattern, String file) {
        LineWriter.Target target = file.equals("-") ? new StandardOutput(name) : open(name, file);
        PatternLayout layout = null;
        if (pattern != null) {
            layout = new PatternLayout();
            layout.setContext((LoggerContext) LoggerFactory.getILoggerFactory());
            layout.setPattern(pattern);
            layout.start();
        }
        return new LineAppender(new LineWriter(name, target), layout);
    }

    private static AppendedFile open(String name, String file) {
        try {
            return AppendedFile.open(name, Path.of(file), System::nanoTime);
        } catch (IOException | InvalidPathException e) {
            throw new IllegalStateException(
                    "The " + name + " " + file
                            + " can't be written: name a file in a directory that exists and that you may write to.",
                    e);
        }
    }

    /** Standard output, which can't be opened anew. */
    private record StandardOutput(LostLines lost) implements LineWriter.Target {
        StandardOutput(String name) {
            this(new LostLines(name + " on standard output"));
        }

        @Override
        public void append(ByteBuffer lines) {
            System.out.write(lines.array(), lines.arrayOffset() + lines.position(), lines.remaining());
            System.out.flush();
            lost.written(System.nanoTime());
        }

        @Override
        public void dropped(long lines) {
            lost.dropped(lines, System.nanoTime());
        }

        @Override
        public void reopen() {
            // it can't be
        }

        @Override
        public void close() {
            lost.end();
        }
    }

    /** Whether it is a file, which may be moved away. */
    boolean isFile() {
        return file;
    }

    /** Opens the file anew, soon, if it is one. */
    void reopen() {
        if (appender != null) {
            appender.writer.reopen();
        }
    }

    /** Returns when all lines until now are written, after 2 s at the latest. */
    void flush() {
        if (appender != null) {
            appender.writer.flush();
        }
    }

    /**
     * From now on SIGHUP opens these anew, and doesn't end the process. If none of them is a file the signal does what
     * it did.
     */
    static Signals.Handler reopenedOnHangup(LogFile... files) {
        return Stream.of(files).anyMatch(LogFile::isFile)
                ? Signals.handle("HUP", number -> Stream.of(files).forEach(LogFile::reopen))
                : () -> {};
    }

    private void attach(String name) {
        if (appender == null) {
            return;
        }
        appender.setContext(log.getLoggerContext());
        appender.setName(name);
        appender.start();
        log.addAppender(appender);
        log.setAdditive(false);
        log.setLevel(Level.INFO);
    }

    @Override
    public void close() {
        if (appender != null) {
            log.setLevel(levelBefore);
            log.setAdditive(additiveBefore);
            log.detachAppender(appender);
            appender.stop();
        }
    }
}
