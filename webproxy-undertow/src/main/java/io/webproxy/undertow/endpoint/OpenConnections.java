package io.webproxy.undertow.endpoint;

import io.webproxy.spi.AddressRange;
import io.webproxy.spi.ConnectionLimits;
import io.webproxy.spi.CounterData;
import io.webproxy.undertow.deadline.DescriptorRoom;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.OncePerMinute;
import io.webproxy.undertow.endpoint.ConnectionCounts.Refusal;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntPredicate;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.StreamConnection;

/** The accepted connections of one server, counted in total and per client, and limited. Thread-safe. */
public final class OpenConnections {
    private static final Logger LOG = LoggerFactory.getLogger(OpenConnections.class);
    private static final int MOST = 65_536;
    /** One in four connections may linger. */
    private static final int LINGERING_PART = 4;

    private final Map<StreamConnection, ClientConnection> all = new ConcurrentHashMap<>();
    private final Map<AddressRange, Integer> byClient = new ConcurrentHashMap<>();
    /**
     * Connections that stay open only so that their clients can read the last response; guarded by {@link #lingering},
     * as is the count of active ones.
     */
    private final Set<ClientConnection> answered = new HashSet<>();
    /** Connections that have had their last response while their clients are still sending, the oldest first. */
    private final Set<ClientConnection> lingering = new LinkedHashSet<>();

    /** Connections, and those that are just being admitted. */
    private final AtomicInteger places = new AtomicInteger();

    private final ThreadLoads loads = new ThreadLoads();
    private final DescriptorRoom room;
    private final LongSupplier nanoClock;
    private final ConnectionCounts counts = new ConnectionCounts();
    private volatile ConnectionLimits limits = ConnectionLimits.defaults();
    private volatile List<AddressRange> trusted = List.of();
    private volatile IntPredicate memory = count -> true;
    private volatile Runnable whenFewerAreActive = () -> {};
    private final OncePerMinute warning = new OncePerMinute();

    /** No connections yet, and the default limits; {@code room} is a further limit, the clock is the sweepers'. */
    public OpenConnections(DescriptorRoom room, LongSupplier nanoClock) {
        this.room = room;
        this.nanoClock = nanoClock;
    }

    /** Nanoseconds of the sweepers' clock. */
    long now() {
        return nanoClock.getAsLong();
    }

    /** Sets a further limit: whether there is memory for a connection beside so many. */
    public void memory(IntPredicate fits) {
        memory = fits;
    }

    /** Sets the limits; {@code proxies} have no limit per address. */
    public void limits(ConnectionLimits others, List<AddressRange> proxies) {
        limits = others;
        trusted = List.copyOf(proxies);
    }

    /** Counts a connection that an endpoint has just accepted; null if it exceeds a limit. */
    @Nullable ClientConnection admit(StreamConnection connection, Acceptor endpoint) {
        if (!takePlace()) {
            return null;
        }
        if (!room.takeClient() && !(resetOldestLingering() && room.takeClient())) {
            places.decrementAndGet();
            refuse(Refusal.DESCRIPTORS);
            return null;
        }
        ClientConnection client = null;
        try {
            client = counted(connection, endpoint);
        } finally {
            if (client == null) {
                places.decrementAndGet();
                room.settleClient();
                room.giveClient(true);
            }
        }
        if (client != null) {
            loads.opened(connection.getIoThread());
            all.put(connection, client);
            // XNIO keeps listeners that others set, and calls one at once if the connection is closed already
            connection.setCloseListener(this::closed);
        }
        return client;
    }

    /** Takes one of the places for connections, if need be that of one that only lingers. */
    private boolean takePlace() {
        ConnectionLimits now = limits;
        int total = now.total() == 0 ? MOST : now.total();
        int made = 0;
        while (true) {
            int count = places.get();
            if (count < total && (count < made || memory.test(count))) {
                if (places.compareAndSet(count, count + 1)) {
                    return true;
                }
            } else if (resetOldestLingering()) {
                // there was memory for so many, of which another thread may just take the place
                made = count;
            } else {
                refuse(count < total ? Refusal.MEMORY : Refusal.TOTAL);
                return false;
            }
        }
    }

    /**
     * Counts a connection that was dialled for a client as if it had been accepted; null if it exceeds a limit. On the
     * connection's IO thread.
     */
    public @Nullable ClientConnection admitFor(InetSocketAddress from, StreamConnection connection, Acceptor endpoint) {
        ClientConnection client = admit(connection, endpoint);
        return client != null && client.cameFrom(from) ? client : null;
    }

    private @Nullable ClientConnection counted(StreamConnection connection, Acceptor endpoint) {
        InetSocketAddress peer = connection.getPeerAddress(InetSocketAddress.class);
        if (peer == null) {
            // closed already
            return null;
        }
        InetAddress address = peer.getAddress();
        AddressRange client = AddressRange.clientOf(address);
        if (!isWithinLimit(client, address)) {
            return null;
        }
        return new ClientConnection(connection, this, endpoint, client);
    }

    /** A connection has its reserved engine, or needs none. */
    void settled() {
        room.settleClient();
    }

    /** A connection needs no engine, or none yet. */
    void withdrawEngine() {
        room.withdrawEngine();
    }

    /** A connection needs an engine after all; false if there is no room for one. */
    boolean takeEngine() {
        if (room.takeEngine() || (resetOldestLingering() && room.takeEngine())) {
            return true;
        }
        refuse(Refusal.DESCRIPTORS);
        return false;
    }

    /** Counts a connection that is closed for lack of room. */
    void refuse(Refusal why) {
        counts.refused(why);
        warn();
    }

    /** Counts one more connection of a client, unless it exceeds the limit. */
    private boolean isWithinLimit(AddressRange client, InetAddress address) {
        ConnectionLimits now = limits;
        int count = byClient.merge(client, 1, Integer::sum);
        if (now.perAddress() > 0 && count > now.perAddress() && !isExempt(now, address)) {
            release(client);
            counts.refused(Refusal.ADDRESS);
            LOG.debug("{} has {} connections: refusing more", client, now.perAddress());
            return false;
        }
        return true;
    }

    /** A connection turned out to be another client's: counts it there from now on, unless that client has too many. */
    boolean recount(ClientConnection client, InetAddress address) {
        AddressRange range = AddressRange.clientOf(address);
        if (!isWithinLimit(range, address)) {
            return false;
        }
        AddressRange before = client.counted();
        ClientConnection counted = all.computeIfPresent(client.connection(), (connection, same) -> {
            same.counted(range);
            return same;
        });
        release(counted == null ? range : before);
        return true;
    }

    private boolean isExempt(ConnectionLimits now, InetAddress address) {
        return AddressRange.anyContains(now.exempt(), address) || AddressRange.anyContains(trusted, address);
    }

    private void warn() {
        if (warning.isDue()) {
            LOG.warn(
                    "Refusing connections: {} are open; raise the limit of open files, the maximum heap size, or"
                            + " Tuning.withConnections(…)",
                    places.get());
        }
    }

    private void release(AddressRange client) {
        byClient.computeIfPresent(client, (same, count) -> count == 1 ? null : count - 1);
    }

    /** A connection has sent everything that its client gets: nothing waits for it any more. */
    void answered(ClientConnection client) {
        synchronized (lingering) {
            if (!all.containsKey(client.connection()) || !answered.add(client)) {
                return;
            }
        }
        Guard.run("the wait for the last connection", whenFewerAreActive);
    }

    /**
     * A connection has had its last response while its client is still sending: such are closed first when there are
     * too many.
     */
    void linger(ClientConnection client) {
        int total = limits.total() == 0 ? room.connections(MOST) : limits.total();
        int count;
        synchronized (lingering) {
            if (all.containsKey(client.connection())) {
                lingering.add(client);
            }
            count = lingering.size();
        }
        if (count > Math.max(1, total / LINGERING_PART)) {
            resetOldestLingering();
        }
    }

    /** Makes room for another connection; false if none can be closed. */
    boolean resetOldestLingering() {
        ClientConnection oldest;
        synchronized (lingering) {
            Iterator<ClientConnection> first = lingering.iterator();
            if (!first.hasNext()) {
                return false;
            }
            oldest = first.next();
            // two threads that need room must not reset the same one
            first.remove();
        }
        closed(oldest.connection());
        IoTasks.execute(oldest.connection().getIoThread(), oldest::cut);
        return true;
    }

    private void closed(StreamConnection connection) {
        AtomicReference<@Nullable ClientConnection> removed = new AtomicReference<>();
        all.computeIfPresent(connection, (same, open) -> {
            // before the count goes down: whoever sees fewer connections may connect
            release(open.counted());
            places.decrementAndGet();
            removed.set(open);
            return null;
        });
        ClientConnection client = removed.get();
        if (client != null) {
            loads.closed(connection.getIoThread());
            synchronized (lingering) {
                lingering.remove(client);
                answered.remove(client);
            }
            client.ended();
            client.settled();
            room.giveClient(client.hasEngine());
            Guard.run("the wait for the last connection", whenFewerAreActive);
        }
    }

    /** Number of open connections. */
    public int count() {
        return all.size();
    }

    /** Number of open connections that may still have something to do. */
    public int active() {
        synchronized (lingering) {
            return all.size() - answered.size();
        }
    }

    /** Number of connections that were closed because of a limit. */
    public long refused() {
        return counts.refused();
    }

    /** The connections of each IO thread. */
    ThreadLoads loads() {
        return loads;
    }

    /** The counts. */
    ConnectionCounts counts() {
        return counts;
    }

    /** What was counted since the start, and what the process's descriptors are. */
    public CounterData counters() {
        int lasting;
        synchronized (lingering) {
            lasting = lingering.size();
        }
        Map<String, Long> resumed = counts.resumptions();
        Map<String, Long> handshakes = counts.fullHandshakes();
        resumed.forEach((version, count) -> handshakes.merge(version, count, Long::sum));
        return new CounterData(
                lasting,
                counts.refusals(),
                handshakes,
                resumed,
                counts.failedHandshakes(),
                room.open(),
                room.limit(),
                room.reserve());
    }

    /** Number of connections that were closed by unexpected failures before a request was read. */
    public long failures() {
        return counts.failures();
    }

    /** Number of clients with a connection. */
    int clients() {
        return byClient.size();
    }

    /** Runs {@code listener} whenever a connection has closed, or has nothing more to do. */
    public void whenFewerAreActive(Runnable listener) {
        whenFewerAreActive = listener;
    }

    /** Tells the connections of an endpoint that it is closing, on their threads. */
    public void leave(Acceptor endpoint) {
        for (ClientConnection client : all.values()) {
            if (client.endpoint() == endpoint) {
                IoTasks.execute(client.connection().getIoThread(), client::leave);
            }
        }
    }

    /** Resets the connections of an endpoint, on their threads. */
    public void cut(Acceptor endpoint) {
        for (ClientConnection client : all.values()) {
            if (client.endpoint() == endpoint) {
                IoTasks.execute(client.connection().getIoThread(), client::cut);
            }
        }
    }

    /** Closes all connections, on their threads. */
    public void closeAll() {
        for (ClientConnection client : all.values()) {
            IoTasks.execute(client.connection().getIoThread(), client::close);
        }
    }
}
