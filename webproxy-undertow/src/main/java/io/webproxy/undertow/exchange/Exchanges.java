package io.webproxy.undertow.exchange;

import io.webproxy.undertow.deadline.BodyRoom;
import io.webproxy.undertow.deadline.DescriptorRoom;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.MemoryRoom;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.observe.Recorder;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import org.xnio.XnioIoThread;

/** What all exchanges of a server share: the clock, a sweeper per IO thread, the recorder, counts. Thread-safe. */
public final class Exchanges {
    private final String serverId = newId();
    private final LongSupplier nanoClock;
    private final Recorder recorder;
    private final DescriptorRoom room;
    private final MemoryRoom memory;
    private final BodyRoom bodies;
    private final BodyRoom replays;
    private final IdentityHashMap<XnioIoThread, Sweeper> sweepers = new IdentityHashMap<>();
    private final RouteLeases routes = new RouteLeases();
    private final AckPoll acks = new AckPoll();
    private final AtomicInteger running = new AtomicInteger();
    private final AtomicInteger tunnels = new AtomicInteger();
    private volatile IntSupplier connections = () -> 0;
    private volatile Runnable whenOneEnds = () -> {};

    /** For the IO threads of one worker, with unlimited descriptors and memory. */
    public Exchanges(List<XnioIoThread> threads, LongSupplier nanoClock, Recorder recorder) {
        this(threads, nanoClock, recorder, DescriptorRoom.unlimited(), MemoryRoom.unlimited());
    }

    /** For the IO threads of one worker. */
    public Exchanges(
            List<XnioIoThread> threads,
            LongSupplier nanoClock,
            Recorder recorder,
            DescriptorRoom room,
            MemoryRoom memory) {
        this.nanoClock = nanoClock;
        this.recorder = recorder;
        this.room = room;
        this.memory = memory;
        this.bodies = memory.bodies();
        this.replays = memory.replays();
        threads.forEach(thread -> sweepers.put(thread, new Sweeper(thread, nanoClock)));
    }

    private static String newId() {
        byte[] id = new byte[Long.BYTES];
        new SecureRandom().nextBytes(id);
        return HexFormat.of().formatHex(id);
    }

    /** Identifies this server: 16 hexadecimal digits, new at each start. */
    public String serverId() {
        return serverId;
    }

    /** The monotonic clock in nanoseconds. */
    public LongSupplier nanoClock() {
        return nanoClock;
    }

    /** Hears of ended exchanges. */
    public Recorder recorder() {
        return recorder;
    }

    /** The process's budget of file descriptors. */
    public DescriptorRoom room() {
        return room;
    }

    /** The memory budget for buffered request bodies. */
    public BodyRoom bodies() {
        return bodies;
    }

    /** The memory budget for request bodies that are kept to be sent again. */
    public BodyRoom replays() {
        return replays;
    }

    /** Whether the JVM's memory is exceeded by the exchange that started last. */
    public boolean isCrowded() {
        int open = tunnels.get();
        return !memory.fitsExchange(connections.getAsInt(), Math.max(0, running.get() - open), open);
    }

    /** Whether memory suffices for one more client connection beside this many. */
    public boolean fitsConnection(int others) {
        int open = tunnels.get();
        return memory.fitsConnection(others, Math.max(0, running.get() - open), open);
    }

    /** Whether memory suffices for this many relays, with a buffer of this size for each direction. */
    public boolean fitsRelays(int relays, long buffer) {
        return memory.fitsRelays(Math.max(0, running.get() - tunnels.get()), relays, buffer);
    }

    /** Sets how to count open connections, which take memory too. */
    public void connections(IntSupplier open) {
        connections = open;
    }

    /** The sweeper of an IO thread. */
    public Sweeper sweeper(XnioIoThread thread) {
        Sweeper sweeper = sweepers.get(thread);
        if (sweeper == null) {
            throw new IllegalArgumentException("a thread of another worker: " + thread);
        }
        return sweeper;
    }

    /** Checks whether clients acknowledge what they are sent. */
    AckPoll acks() {
        return acks;
    }

    /** The leases of routes, which end exchanges of removed ones. */
    public RouteLeases routes() {
        return routes;
    }

    /** Requests in flight. */
    public int running() {
        return running.get();
    }

    /** Open tunnels. */
    public int tunnels() {
        return tunnels.get();
    }

    /** Whether there are neither requests nor tunnels. */
    public boolean isIdle() {
        return running.get() == 0 && tunnels.get() == 0;
    }

    /**
     * What is in flight now, by a census; completes on an IO thread, late if one is held up, never if one has ended.
     *
     * @param without the names of routes that aren't counted
     */
    public CompletableFuture<Flights> flights(Set<String> without) {
        return Flights.count(sweepers.values(), without);
    }

    /** Runs {@code listener} whenever an exchange or a tunnel has ended. */
    public void whenOneEnds(Runnable listener) {
        whenOneEnds = listener;
    }

    /** Cuts everything in flight, on its own threads. */
    public void cutAll() {
        sweepers.values().forEach(sweeper -> IoTasks.execute(sweeper.thread(), sweeper::cutAll));
    }

    void started() {
        running.incrementAndGet();
    }

    void ended() {
        running.decrementAndGet();
        whenOneEnds.run();
    }

    /** A tunnel has opened. */
    public void tunnelStarted() {
        tunnels.incrementAndGet();
    }

    /** A tunnel has ended. */
    public void tunnelEnded() {
        tunnels.decrementAndGet();
        whenOneEnds.run();
    }
}
