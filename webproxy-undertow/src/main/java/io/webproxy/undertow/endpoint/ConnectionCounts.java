package io.webproxy.undertow.endpoint;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** What is counted of client connections since the start. Thread-safe. */
final class ConnectionCounts {
    /** Why a connection is refused. */
    enum Refusal {
        /** The limit of all connections. */
        TOTAL,
        /** The limit of connections of one client address. */
        ADDRESS,
        /** The memory of the JVM. */
        MEMORY,
        /** The file descriptors of the process. */
        DESCRIPTORS
    }

    private final Map<Refusal, LongAdder> refused = new EnumMap<>(Refusal.class);
    private final Map<String, LongAdder> fullHandshakes = new ConcurrentHashMap<>();
    private final Map<String, LongAdder> resumptions = new ConcurrentHashMap<>();
    private final LongAdder failedHandshakes = new LongAdder();
    private final LongAdder failed = new LongAdder();

    ConnectionCounts() {
        for (Refusal why : Refusal.values()) {
            refused.put(why, new LongAdder());
        }
    }

    void refused(Refusal why) {
        Objects.requireNonNull(refused.get(why)).increment();
    }

    long refused() {
        return refused.values().stream().mapToLong(LongAdder::sum).sum();
    }

    /** Refused connections by reason, without zeros. */
    Map<String, Long> refusals() {
        Map<String, Long> sums = new TreeMap<>();
        refused.forEach((why, count) -> {
            if (count.sum() > 0) {
                sums.put(why.name().toLowerCase(Locale.ROOT), count.sum());
            }
        });
        return sums;
    }

    /** A connection was closed by an unexpected failure before a request was read. */
    void failed() {
        failed.increment();
    }

    long failures() {
        return failed.sum();
    }

    /** TLS of this version is open; there are few versions. */
    void handshaken(String version, boolean resumed) {
        (resumed ? resumptions : fullHandshakes)
                .computeIfAbsent(version, v -> new LongAdder())
                .increment();
    }

    /** Handshakes by version that resumed no session. */
    Map<String, Long> fullHandshakes() {
        return sums(fullHandshakes);
    }

    /** Handshakes by version that resumed a session. */
    Map<String, Long> resumptions() {
        return sums(resumptions);
    }

    private static Map<String, Long> sums(Map<String, LongAdder> counts) {
        Map<String, Long> sums = new TreeMap<>();
        counts.forEach((version, count) -> sums.put(version, count.sum()));
        return sums;
    }

    void handshakeFailed() {
        failedHandshakes.increment();
    }

    long failedHandshakes() {
        return failedHandshakes.sum();
    }
}
