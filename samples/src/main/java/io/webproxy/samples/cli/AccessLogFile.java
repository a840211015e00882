package io.webproxy.samples.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
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

/** Where the access log goes: each line is appended and flushed at once. */
final class AccessLogFile implements AutoCloseable {
    private final Logger log = (Logger) LoggerFactory.getLogger("io.webproxy.access");
    private final @Nullable Appender<ILoggingEvent> appender;

    private AccessLogFile(@Nullable Appender<ILoggingEvent> appender) {
        this.appender = appender;
    }

    /** Appends lines to a file, one thread at a time. */
    private static final class FileAppender extends AppenderBase<ILoggingEvent> {
        private final AppendedFile file;

        FileAppender(AppendedFile file) {
            this.file = file;
        }

        @Override
        protected void append(ILoggingEvent event) {
            file.append((event.getFormattedMessage() + "\n").getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public void stop() {
            super.stop();
            file.close();
        }
    }

    /**
     * Turns the access log on.
     *
     * @param file a path, - for standard output, null to leave it off
     * @throws IllegalStateException if the file can't be written
     */
    static AccessLogFile open(@Nullable String file) {
        AccessLogFile opened = new AccessLogFile(file == null ? null : appender(file));
        opened.attach();
        return opened;
    }

    private static Appender<ILoggingEvent> appender(String file) {
        if (file.equals("-")) {
            LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
            PatternLayoutEncoder encoder = new PatternLayoutEncoder();
            encoder.setContext(context);
            encoder.setPattern("%msg%n");
            encoder.start();
            ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
            console.setEncoder(encoder);
            return console;
        }
        try {
            return new FileAppender(AppendedFile.open(Path.of(file), System::nanoTime));
        } catch (IOException | InvalidPathException e) {
            throw new IllegalStateException(
                    "The access log " + file
                            + " can't be written: name a file in a directory that exists and that you may write to.",
                    e);
        }
    }

    private void attach() {
        if (appender == null) {
            return;
        }
        appender.setContext(log.getLoggerContext());
        appender.setName("access log");
        appender.start();
        log.addAppender(appender);
        log.setAdditive(false);
        log.setLevel(Level.INFO);
    }

    @Override
    public void close() {
        if (appender != null) {
            log.setLevel(Level.OFF);
            log.detachAppender(appender);
            appender.stop();
        }
    }
}
