package io.webproxy.undertow.port;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Whether the process has file descriptors to spare for another client: a part is kept back for upstreams, files and the rest of the application, so that
 * those who are served already don't notice a flood. It counts anew only when what was accepted since could have used the room up, because the kernel lists
 * every descriptor for that. Thread-safe.
 */
public final class DescriptorRoom {
    /** A connection, and the pipe that Conscrypt has for each engine. */
    private static final int EACH = 3;

    private static final int LEAST_RESERVE = 48;
    private static final int MOST_RESERVE = 1024;
    private static final long RECOUNT_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private final LongSupplier open;
    private final LongSupplier nanoClock;
    private final long most;
    private long estimate;
    private long countedAt;

    DescriptorRoom(long limit, LongSupplier open, LongSupplier nanoClock) {
        this.open = open;
        this.nanoClock = nanoClock;
        this.most = limit - Math.max(LEAST_RESERVE, Math.min(MOST_RESERVE, limit / 8));
        this.countedAt = nanoClock.getAsLong() - RECOUNT_NANOS;
        this.estimate = most;
    }

    /** The room of this process; without end where the JVM can't tell. */
    public static DescriptorRoom ofProcess() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system
                ? new DescriptorRoom(
                        system.getMaxFileDescriptorCount(), system::getOpenFileDescriptorCount, System::nanoTime)
                : new DescriptorRoom(Long.MAX_VALUE, () -> 0, System::nanoTime);
    }

    /** For how many connections there would be room if nothing else had descriptors, and {@code atMost} that many. */
    int connections(int atMost) {
        return (int) Math.min(atMost, most / EACH);
    }

    /** Takes room for a connection that is open already; false if there is none. */
    synchronized boolean take() {
        if (estimate + EACH > most) {
            long now = nanoClock.getAsLong();
            if (now - countedAt < RECOUNT_NANOS) {
                return false;
            }
            countedAt = now;
            estimate = open.getAsLong();
        }
        estimate += EACH;
        return estimate <= most;
    }
}
