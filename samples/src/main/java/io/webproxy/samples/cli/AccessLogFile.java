package io.webproxy.samples.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.FileAppender;
import ch.qos.logback.core.OutputStreamAppender;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** Where the access log goes: each line is appended and flushed at once. */
final class AccessLogFile implements AutoCloseable {
    private final Logger log = (Logger) LoggerFactory.getLogger("io.webproxy.access");
    private final @Nullable OutputStreamAppender<ILoggingEvent> appender;

    private AccessLogFile(@Nullable OutputStreamAppender<ILoggingEvent> appender) {
        this.appender = appender;
    }

    /**
     * Turns the access log on.
     *
     * @param file a path, - for standard output, null to leave it off
     * @throws IllegalStateException if the file can't be written
     */
    static AccessLogFile open(@Nullable String file) {
        AccessLogFile opened = new AccessLogFile(file == null ? null : appender(file));
        opened.attach(file);
        return opened;
    }

    private static OutputStreamAppender<ILoggingEvent> appender(String file) {
        if (file.equals("-")) {
            return new ConsoleAppender<>();
        }
        FileAppender<ILoggingEvent> appender = new FileAppender<>();
        appender.setFile(file);
        return appender;
    }

    private void attach(@Nullable String file) {
        if (appender == null) {
            return;
        }
        LoggerContext context = log.getLoggerContext();
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setPattern("%msg%n");
        encoder.start();
        appender.setContext(context);
        appender.setName("access log");
        appender.setEncoder(encoder);
        appender.start();
        if (!appender.isStarted()) {
            throw new IllegalStateException("The access log " + file
                    + " can't be written: name a file in a directory that exists and that you may write to.");
        }
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
