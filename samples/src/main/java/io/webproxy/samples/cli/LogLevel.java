package io.webproxy.samples.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** The log levels. */
enum LogLevel {
    ERROR(Level.ERROR),
    WARN(Level.WARN),
    INFO(Level.INFO),
    DEBUG(Level.DEBUG);

    @SuppressWarnings("ImmutableEnumChecker") // it is, and doesn't say so
    private final Level level;

    LogLevel(Level level) {
        this.level = level;
    }

    /** A changed level, in force until it is closed. */
    static final class Change implements AutoCloseable {
        private final Logger ours = logger("io.webproxy");
        private final Logger root = logger(Logger.ROOT_LOGGER_NAME);
        private final @Nullable Level oursBefore = ours.getLevel();
        private final @Nullable Level rootBefore = root.getLevel();

        private static Logger logger(String name) {
            return (Logger) LoggerFactory.getLogger(name);
        }

        @Override
        public void close() {
            ours.setLevel(oursBefore);
            root.setLevel(rootBefore);
        }
    }

    /** Puts a level in force, null for the configured one. Classes of other libraries never log more than warnings. */
    static Change change(@Nullable LogLevel wanted) {
        Change change = new Change();
        if (wanted != null) {
            change.ours.setLevel(wanted.level);
            change.root.setLevel(wanted == ERROR ? Level.ERROR : Level.WARN);
        }
        return change;
    }
}
