package io.webproxy.undertow.deadline;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs one step of a loop, a queue, a sweep or a listener, so that whatever it throws ends that step only.
 *
 * <p>That holds for any {@link Throwable}: when descriptors or memory run out, any line may throw an {@link Error}, and
 * a step belongs to one connection while the loop serves all. Each place is logged at most once a minute. Thread-safe;
 * never throws.
 */
public final class Guard {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.server");
    private static final long QUIET_NANOS = TimeUnit.MINUTES.toNanos(1);

    private static final Map<String, Long> LOGGED = new ConcurrentHashMap<>();

    /** For tests: throws instead of a step. */
    static volatile @Nullable Consumer<String> faults;

    private Guard() {}

    /** Runs a step; {@code place} names it in the log, such as {@code a TLS handshake}. */
    public static void run(String place, Runnable step) {
        run(place, step, () -> {});
    }

    /** The same; {@code afterFailure} runs if the step throws, to close what only that step was for. */
    public static void run(String place, Runnable step, Runnable afterFailure) {
        try {
            Consumer<String> injected = faults;
            if (injected != null) {
                injected.accept(place);
            }
            step.run();
        } catch (Throwable e) {
            failed(place, e);
            try {
                afterFailure.run();
            } catch (Throwable second) {
                failed(place, second);
            }
        }
    }

    /** Logs what ended a connection, where an {@link IOException} isn't unexpected. */
    public static void broken(String place, Throwable thrown) {
        if (!(thrown instanceof IOException)) {
            failed(place, thrown);
        }
    }

    /** Logs a failure, unless the place has failed within the last minute. */
    public static void failed(String place, Throwable thrown) {
        try {
            long now = System.nanoTime();
            Long before = LOGGED.get(place);
            if (before == null || now - before >= QUIET_NANOS) {
                LOGGED.put(place, now);
                LOG.error(
                        "Unexpected failure in {}, logged at most once a minute: {}; report it with this stack trace",
                        place,
                        thrown,
                        thrown);
            }
        } catch (Throwable e) {
            // there is no memory even for logging
        }
    }

    /** Forgets what was logged. */
    static void reset() {
        LOGGED.clear();
    }
}
