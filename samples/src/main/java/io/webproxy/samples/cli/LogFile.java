package io.webproxy.samples.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.PatternLayout;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.AppenderBase;
import ch.qos.logback.core.ConsoleAppender;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** Writes the lines of one logger to a file; each is appended and flushed at once. */
final class LogFile implements AutoCloseable {
    private final Logger log;
    private final @Nullable Appender<ILoggingEvent> appender;
    private final @Nullable Level levelBefore;
    private final boolean additiveBefore;

    private LogFile(Logger log, @Nullable Appender<ILoggingEvent> appender) {
        this.log = log;
        this.appender = appender;
        this.levelBefore = log.getLevel();
        this.additiveBefore = log.isAdditive();
    }

    /** Appends lines to a file, one thread at a time. */
    private static final class FileAppender extends AppenderBase<ILoggingEvent> {
        private final AppendedFile file;
        private final PatternLayout layout;

        FileAppender(AppendedFile file, PatternLayout layout) {
            this.file = file;
            this.layout = layout;
        }

        @Override
        protected void append(ILoggingEvent event) {
            file.append(layout.doLayout(event).getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public void stop() {
            super.stop();
            file.close();
        }
    }

    /**
     * Turns the access log on; its lines contain their time.
     *
     * @param file a path, - for standard output, null to leave it off
     * @throws IllegalStateException if the file can't be written
     */
    static LogFile ofRequests(@Nullable String file) {
        return open("io.webproxy.access", "access log", "%msg%n", file);
    }

    /** The same for the log of relays; the time is put before its lines. */
    static LogFile ofRelays(@Nullable String file) {
        return open("io.webproxy.relay", "relay log", "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %msg%n", file);
    }

    private static LogFile open(String logger, String name, String pattern, @Nullable String file) {
        Logger log = (Logger) LoggerFactory.getLogger(logger);
        LogFile opened = new LogFile(log, file == null ? null : appender(name, pattern, file));
        opened.attach(name);
        return opened;
    }

    private static Appender<ILoggingEvent> appender(String name, String pattern, String file) {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        if (file.equals("-")) {
            PatternLayoutEncoder encoder = new PatternLayoutEncoder();
            encoder.setContext(context);
            encoder.setPattern(pattern);
            encoder.start();
            ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
            console.setEncoder(encoder);
            return console;
        }
        PatternLayout layout = new PatternLayout();
        layout.setContext(context);
        layout.setPattern(pattern);
        layout.start();
        try {
            return new FileAppender(AppendedFile.open(name, Path.of(file), System::nanoTime), layout);
        } catch (IOException | InvalidPathException e) {
            throw new IllegalStateException(
                    "The " + name + " " + file
                            + " can't be written: name a file in a directory that exists and that you may write to.",
                    e);
        }
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
