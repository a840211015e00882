package io.webproxy.undertow.deadline;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;

/**
 * How many connections and requests the memory of the JVM has room for, by what one takes: an {@link OutOfMemoryError}
 * may end any thread.
 *
 * <p>What the JVM needs for itself is left out, and of the rest a quarter is kept for the application and for garbage.
 * Connections may take half of what is left, so that those that are open can have requests; requests leave an eighth,
 * so that another client can connect. Immutable.
 */
public final class MemoryRoom {
    private static final long ITSELF = 12L << 20;

    /** Of the heap: an idle connection over TLS was measured to take 4.4 KiB, in cleartext 3 KiB. */
    private static final long CONNECTION = 6L << 10;

    /** Of the heap, estimated: a request that waits, or whose response is read slowly. */
    private static final long EXCHANGE = 12L << 10;

    /** Of the heap, estimated: a WebSocket that is silent. */
    private static final long TUNNEL = 4L << 10;

    private final long heap;
    private final long direct;
    private final long directOfExchange;

    MemoryRoom(long heap, long direct, long directOfExchange) {
        this.heap = Math.max(heap - ITSELF, heap / 4) / 4 * 3;
        this.direct = direct / 4 * 3;
        this.directOfExchange = directOfExchange;
    }

    /** The room of this JVM, where a request that can't go on keeps so many bytes in direct buffers. */
    public static MemoryRoom ofJvm(long directOfExchange) {
        long heap = Runtime.getRuntime().maxMemory();
        return new MemoryRoom(heap, direct(heap), directOfExchange);
    }

    /** Room for everything. */
    public static MemoryRoom unlimited() {
        return new MemoryRoom(Long.MAX_VALUE / 2, Long.MAX_VALUE / 2, 1);
    }

    /** The limit of direct buffers is that of the heap unless it is set. */
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

    /** Room for the bodies of requests: of the quarter of direct buffers that nothing else is promised. */
    public BodyRoom bodies() {
        return new BodyRoom(direct / 4);
    }

    /** Whether a connection more fits, beside what is there. */
    public boolean fitsConnection(int connections, int exchanges, int tunnels) {
        long all = (connections + 1L) * CONNECTION;
        return all <= heap / 2 && all + heapOf(exchanges, tunnels) <= heap;
    }

    /** Whether a request fits that counts among {@code exchanges} already, beside what is there. */
    public boolean fitsExchange(int connections, int exchanges, int tunnels) {
        return connections * CONNECTION + heapOf(exchanges, tunnels) <= heap / 8 * 7
                && exchanges * directOfExchange <= direct;
    }

    /** Whether so many relays fit, beside these requests, if none of them could go on in either direction. */
    public boolean fitsRelays(int exchanges, int relays, long buffer) {
        return exchanges * directOfExchange + 2L * relays * buffer <= direct;
    }

    private static long heapOf(int exchanges, int tunnels) {
        return exchanges * EXCHANGE + tunnels * TUNNEL;
    }
}
