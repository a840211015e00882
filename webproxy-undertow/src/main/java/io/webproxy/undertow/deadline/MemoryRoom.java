package io.webproxy.undertow.deadline;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;

/**
 * The budget of the JVM's memory: how many connections and requests fit, by what one of each takes. Without it an
 * {@link OutOfMemoryError} could end any thread.
 *
 * <p>It leaves out what the JVM needs itself, and keeps a quarter of the rest for the application and for garbage.
 * Connections may take half of what is left, so that those that are open can have requests; requests leave an eighth,
 * so that another client can connect. Immutable.
 */
public final class MemoryRoom {
    private static final long ITSELF = 12L << 20;

    /** Heap of a connection: an idle one was measured at 4.4 KiB over TLS and 3 KiB in cleartext. */
    private static final long CONNECTION = 6L << 10;

    /** Estimated heap of a request that waits, or whose response is read slowly. */
    private static final long EXCHANGE = 12L << 10;

    /** Estimated heap of an idle WebSocket. */
    private static final long TUNNEL = 4L << 10;

    private final long heap;
    private final long direct;
    private final long directOfExchange;

    MemoryRoom(long heap, long direct, long directOfExchange) {
        this.heap = Math.max(heap - ITSELF, heap / 4) / 4 * 3;
        this.direct = direct / 4 * 3;
        this.directOfExchange = directOfExchange;
    }

    /** The budget of this JVM, where a stalled request keeps so many bytes in direct buffers. */
    public static MemoryRoom ofJvm(long directOfExchange) {
        long heap = Runtime.getRuntime().maxMemory();
        return new MemoryRoom(heap, direct(heap), directOfExchange);
    }

    /** An unlimited budget. */
    public static MemoryRoom unlimited() {
        return new MemoryRoom(Long.MAX_VALUE / 2, Long.MAX_VALUE / 2, 1);
    }

    /** The limit of direct buffers is the heap's unless it is set. */
    private static long direct(long heap) {
        try {
            HotSpotDiagnosticMXBean vm = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
            long set = Long.parseLong(vm.getVMOption("MaxDirectMemorySize").getValue());
            return set > 0 ? set : heap;
        } catch (RuntimeException | LinkageError e) {
            // another JVM
            return heap;
        }
    }

    /** The budget of request bodies: the quarter of direct buffers that nothing else is promised. */
    public BodyRoom bodies() {
        return new BodyRoom(direct / 4);
    }

    /** The budget of request bodies that are kept to be sent again. */
    public BodyRoom replays() {
        return new BodyRoom(heap / 8);
    }

    /** Whether one more connection fits beside the existing ones. */
    public boolean fitsConnection(int connections, int exchanges, int tunnels) {
        long all = (connections + 1L) * CONNECTION;
        return all <= heap / 2 && all + heapOf(exchanges, tunnels) <= heap;
    }

    /** Whether a request fits that is already counted in {@code exchanges}. */
    public boolean fitsExchange(int connections, int exchanges, int tunnels) {
        return connections * CONNECTION + heapOf(exchanges, tunnels) <= heap / 8 * 7
                && exchanges * directOfExchange <= direct;
    }

    /** Whether so many relays fit beside these requests, even if all of them were stalled in both directions. */
    public boolean fitsRelays(int exchanges, int relays, long buffer) {
        return exchanges * directOfExchange + 2L * relays * buffer <= direct;
    }

    private static long heapOf(int exchanges, int tunnels) {
        return exchanges * EXCHANGE + tunnels * TUNNEL;
    }
}
