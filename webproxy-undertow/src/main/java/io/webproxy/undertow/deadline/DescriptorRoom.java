package io.webproxy.undertow.deadline;

import com.sun.management.UnixOperatingSystemMXBean;
import java.io.FileInputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The budget of the process's file descriptors.
 *
 * <p>Clients can't use a reserve of an eighth of the limit, at least 48 and at most 1,024: it is for files, the rest of
 * the application, and the first connections to upstreams, so that clients alone can't keep requests from being
 * forwarded. Upstreams may also use what clients leave, except for a last part as large as the reserve, so that a
 * client can still be served while others have many requests. The same rule holds for the targets of relays; they are
 * counted separately, so that neither uses what is kept for the first connections of the other.
 *
 * <p>Counting makes the kernel list every descriptor. So they are counted again only when those taken since could have
 * used up the budget, and for at most 5 % of the time. Thread-safe.
 */
public final class DescriptorRoom {
    /** What a TLS engine takes in addition to its socket: Conscrypt has a pipe for each. */
    public static final int ENGINE = 2;

    private static final int CLIENT = 1 + ENGINE;
    private static final int LEAST_RESERVE = 48;
    private static final int MOST_RESERVE = 1024;
    private static final long RECOUNT_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final int COUNT_SHARE = 20;
    private static final long UNLIMITED = Long.MAX_VALUE / 2;
    private static final String SPARE = "/dev/null";

    private final LongSupplier open;
    private final LongSupplier nanoClock;
    private final long limit;
    private final long reserve;

    /** Descriptors that were open at the last count, and those taken since. */
    private long used;

    /** Descriptors reserved for connections that were already admitted; no count shows them yet. */
    private long promised;

    private long upstreams;
    private long relays;
    private long nextCount;

    DescriptorRoom(long limit, LongSupplier open, LongSupplier nanoClock) {
        this.open = open;
        this.nanoClock = nanoClock;
        this.limit = limit;
        this.reserve = Math.max(LEAST_RESERVE, Math.min(MOST_RESERVE, limit / 8));
        this.nextCount = nanoClock.getAsLong();
        this.used = limit;
    }

    /** The budget of this process; unlimited where the JVM can't tell the limit. */
    public static DescriptorRoom ofProcess() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system
                ? new DescriptorRoom(
                        system.getMaxFileDescriptorCount(), system::getOpenFileDescriptorCount, System::nanoTime)
                : unlimited();
    }

    /** An unlimited budget. */
    public static DescriptorRoom unlimited() {
        return new DescriptorRoom(UNLIMITED, () -> 0, System::nanoTime);
    }

    /** Descriptors that are open, as far as they are counted, or promised; 0 if there is no limit. */
    public synchronized long open() {
        if (limit() == 0) {
            return 0;
        }
        count();
        return used + promised;
    }

    /** The limit; 0 if there is none. */
    public long limit() {
        return limit == UNLIMITED ? 0 : limit;
    }

    /** What clients can't use; 0 if there is no limit. */
    public long reserve() {
        return limit == UNLIMITED ? 0 : reserve;
    }

    /** How many clients would fit if nothing else had descriptors, {@code atMost} this many. */
    public int connections(int atMost) {
        return (int) Math.min(atMost, (limit - reserve) / CLIENT);
    }

    /** Takes a client's socket, which is open already, and reserves a TLS engine for it; false if there is no room. */
    public synchronized boolean takeClient() {
        if (!fits(CLIENT, limit - reserve)) {
            return false;
        }
        used++;
        promised += ENGINE;
        return true;
    }

    /** A client's engine is open now, or won't be. */
    public synchronized void settleClient() {
        promised -= ENGINE;
        used += ENGINE;
    }

    /** A client needs no engine, or none yet: gives back the reservation. */
    public synchronized void withdrawEngine() {
        promised -= ENGINE;
    }

    /**
     * Reserves an engine for a client whose first one was {@linkplain #withdrawEngine withdrawn}; false if there is no
     * room.
     */
    public synchronized boolean takeEngine() {
        if (!fits(ENGINE, limit - reserve)) {
            return false;
        }
        promised += ENGINE;
        return true;
    }

    /** A client's connection is closed; {@code engine} is false for one whose engine was withdrawn. */
    public synchronized void giveClient(boolean engine) {
        give(engine ? CLIENT : 1);
    }

    /** Takes a descriptor for a connection to an upstream that is about to be opened; false if there is none. */
    public synchronized boolean takeUpstream(boolean tls) {
        int each = descriptors(tls);
        boolean first = upstreams + each <= reserve / 2;
        if (!fits(each, first ? limit - reserve / 4 : limit - 2 * reserve)) {
            return false;
        }
        upstreams += each;
        promised += each;
        return true;
    }

    /** A connection to an upstream is open now, or won't be. */
    public synchronized void settleUpstream(boolean tls) {
        int each = descriptors(tls);
        promised -= each;
        used += each;
    }

    /** A connection to an upstream is closed; after {@link #settleUpstream}. */
    public synchronized void giveUpstream(boolean tls) {
        int each = descriptors(tls);
        upstreams -= each;
        give(each);
    }

    /**
     * Whether upstreams have used what they may take but for a last part as large as the reserve: idle connections
     * should then close.
     */
    public synchronized boolean isTight() {
        return !fits(0, limit - 3 * reserve);
    }

    /** Takes a descriptor for a relay's connection to its target that is about to be opened; false if there is none. */
    public synchronized boolean takeRelay() {
        boolean first = relays < reserve / 4;
        if (!fits(1, first ? limit - reserve / 4 : limit - 2 * reserve)) {
            return false;
        }
        relays++;
        promised++;
        return true;
    }

    /** A relay's connection to its target is open now, or won't be. */
    public synchronized void settleRelay() {
        promised--;
        used++;
    }

    /** A relay's connection to its target is closed; after {@link #settleRelay}. */
    public synchronized void giveRelay() {
        relays--;
        give(1);
    }

    private static int descriptors(boolean tls) {
        return tls ? 1 + ENGINE : 1;
    }

    private void give(int each) {
        used = Math.max(0, used - each);
    }

    private boolean fits(int each, long most) {
        if (used + promised + each > most) {
            count();
        }
        return used + promised + each <= most;
    }

    private void count() {
        long now = nanoClock.getAsLong();
        if (now - nextCount < 0) {
            return;
        }
        try {
            used = open.getAsLong();
        } catch (RuntimeException | Error e) {
            // an InternalError: listing the descriptors takes one too
            used = limit;
        }
        long counted = nanoClock.getAsLong();
        nextCount = counted + Math.max(RECOUNT_NANOS, COUNT_SHARE * (counted - now));
    }

    /** Whether the process can open one more descriptor right now. */
    public static boolean hasSpare() {
        try (FileInputStream spare = new FileInputStream(SPARE)) {
            return true;
        } catch (IOException e) {
            return !isShortage(e);
        }
    }

    /**
     * Whether the cause is that the process or the machine has no descriptor left: EMFILE or ENFILE, which Java reports
     * only by the system's text.
     */
    public static boolean isShortage(Throwable why) {
        return String.valueOf(why.getMessage()).contains("Too many open files");
    }
}
