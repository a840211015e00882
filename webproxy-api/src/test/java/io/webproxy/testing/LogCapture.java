package io.webproxy.testing;

import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.core.AppenderBase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.awaitility.core.ConditionTimeoutException;
import org.slf4j.LoggerFactory;

/**
 * The WARN and ERROR lines of SLF4J that haven't been taken yet.
 *
 * <p>Thread-safe. Listens from its construction until it is closed.
 */
final class LogCapture extends AppenderBase<ILoggingEvent> implements AutoCloseable {
    /** Says what a test's own upstream does: no word of the proxy about itself. A test may still require it. */
    private static final String OF_UPSTREAMS = "io.webproxy.upstream";

    private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    private final Queue<ILoggingEvent> events = new ConcurrentLinkedQueue<>();

    LogCapture() {
        setContext(root.getLoggerContext());
        setName("leak check");
        start();
        root.addAppender(this);
    }

    @Override
    protected void append(ILoggingEvent event) {
        if (event.getLevel().isGreaterOrEqual(Level.WARN)) {
            event.prepareForDeferredProcessing();
            events.add(event);
        }
    }

    /**
     * Takes the lines that have come so far and says what is wrong with them: a line that nobody allows, or a required
     * one that has not come within {@code wait}.
     */
    List<String> take(List<ExpectedLog> required, List<ExpectedLog> allowed, Duration wait) {
        List<ExpectedLog> missing = missing(required, wait);
        List<String> wrong = new ArrayList<>();
        for (ILoggingEvent event = events.poll(); event != null; event = events.poll()) {
            if (!event.getLoggerName().equals(OF_UPSTREAMS)
                    && !matchesAny(event, required)
                    && !matchesAny(event, allowed)) {
                wrong.add("log line " + event.getLevel() + " " + event.getLoggerName() + ": " + text(event));
            }
        }
        for (ExpectedLog expected : missing) {
            wrong.add("no log line as expected: logger=\"" + expected.logger() + "\", contains=\"" + expected.contains()
                    + "\"");
        }
        return wrong;
    }

    private List<ExpectedLog> missing(List<ExpectedLog> required, Duration wait) {
        if (!notSeen(required).isEmpty()) {
            try {
                await().pollInSameThread()
                        .atMost(wait)
                        .until(() -> notSeen(required).isEmpty());
            } catch (ConditionTimeoutException e) {
                return notSeen(required);
            }
        }
        return List.of();
    }

    private List<ExpectedLog> notSeen(List<ExpectedLog> required) {
        return required.stream()
                .filter(expected -> events.stream().noneMatch(event -> matches(event, expected)))
                .toList();
    }

    private static boolean matchesAny(ILoggingEvent event, List<ExpectedLog> expected) {
        return expected.stream().anyMatch(e -> matches(event, e));
    }

    private static boolean matches(ILoggingEvent event, ExpectedLog expected) {
        String logger = event.getLoggerName();
        boolean byName = expected.logger().isEmpty()
                || logger.equals(expected.logger())
                || logger.startsWith(expected.logger() + ".");
        return byName && text(event).contains(expected.contains());
    }

    /** The message, then the class and message of each throwable on the way to the cause. */
    private static String text(ILoggingEvent event) {
        StringBuilder text = new StringBuilder(event.getFormattedMessage());
        for (IThrowableProxy t = event.getThrowableProxy(); t != null; t = t.getCause()) {
            text.append(" <- ").append(t.getClassName()).append(": ").append(t.getMessage());
        }
        return text.toString();
    }

    @Override
    public void close() {
        root.detachAppender(this);
        stop();
    }
}
