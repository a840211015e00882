package io.webproxy.undertow.relay;

import io.undertow.connector.ByteBufferPool;
import io.webproxy.ProxyStatus;
import io.webproxy.observe.RelayEnd;
import io.webproxy.port.Relay;
import io.webproxy.route.OutlierEjection;
import io.webproxy.spi.PortData;
import io.webproxy.spi.RelayData;
import io.webproxy.spi.RuleData;
import io.webproxy.undertow.deadline.DescriptorRoom;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.observe.Recorder;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;

/** The relays of one server: those that are open, and what was counted of all, by endpoint and rule. Thread-safe. */
public final class Relays {
    private final Function<XnioIoThread, Sweeper> sweepers;
    private final ByteBufferPool buffers;
    private final BulkBuffers bulkBuffers = new BulkBuffers();
    private final Dialer dialer;
    private final Recorder recorder;
    private final DescriptorRoom room;
    private final Supplier<OutlierEjection> ejection;
    private final LoopbackSource loopback = new LoopbackSource();
    private final RelayPaths paths = new RelayPaths();
    private final ConcurrentMap<String, ConcurrentSkipListMap<String, RelayRule.State>> rules =
            new ConcurrentHashMap<>();
    private final ConcurrentMap<String, Map<RelayEnd, LongAdder>> undetected = new ConcurrentHashMap<>();
    private final Set<Relaying> live = ConcurrentHashMap.newKeySet();
    private volatile IntPredicate memory = count -> true;
    private volatile Runnable whenOneEnds = () -> {};

    /**
     * No relays yet.
     *
     * @param sweepers the sweeper of each IO thread
     * @param recorder is told of each relay that has ended
     * @param ejection when targets are ejected, and for how long
     */
    public Relays(
            Function<XnioIoThread, Sweeper> sweepers,
            ByteBufferPool buffers,
            Dialer dialer,
            Recorder recorder,
            DescriptorRoom room,
            Supplier<OutlierEjection> ejection) {
        this.sweepers = sweepers;
        this.buffers = buffers;
        this.dialer = dialer;
        this.recorder = recorder;
        this.room = room;
        this.ejection = ejection;
    }

    private RelayRule.State state(String endpoint, String name) {
        return rules.computeIfAbsent(endpoint, added -> new ConcurrentSkipListMap<>())
                .computeIfAbsent(name, added -> new RelayRule.State(endpoint, added));
    }

    /**
     * A rule with these settings. What was counted of the rule of this name before goes on, and its open relays count
     * against its limits.
     *
     * @param endpoint the name of the endpoint
     * @param name the name of the rule; {@code silent} and {@code otherwise} for the targets of that name
     */
    public RelayRule rule(String endpoint, String name, Relay settings) {
        return new RelayRule(state(endpoint, name), settings, dialer);
    }

    /** The counters of a rule that relays nothing, because its connections go to the routes. */
    public RuleCounters counters(String endpoint, String name) {
        return state(endpoint, name).counters();
    }

    /**
     * Takes over a client, on its IO thread: its connection is closed when this relay has ended. Never throws.
     *
     * <p>Its read and write listeners, and what it hears of its endpoint's end, are replaced. What was read of it must
     * have been pushed back into its source.
     */
    public void open(RelayRule rule, RelayClient client) {
        Sweeper sweeper = sweepers.apply(client.connection().getIoThread());
        Relaying relaying = new Relaying(this, rule, client, sweeper);
        live.add(relaying);
        Guard.run("opening a relay", relaying::start, relaying::fail);
    }

    /**
     * No rule has taken a connection, which the caller closes.
     *
     * @param duration since it was accepted
     * @param reason one that {@link RelayEnd#isUndetected}
     */
    public void undetected(String endpoint, InetSocketAddress client, Duration duration, RelayEnd reason) {
        undetected
                .computeIfAbsent(endpoint, added -> new ConcurrentHashMap<>())
                .computeIfAbsent(reason, added -> new LongAdder())
                .increment();
        if (recorder.isRelayWanted()) {
            recorder.relayEnded(new RelayData(
                    Instant.now().minus(duration),
                    client,
                    endpoint,
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    0,
                    0,
                    duration,
                    reason,
                    ""));
        }
    }

    /** How many are open. */
    public int open() {
        return live.size();
    }

    /** A limit beside those of the rules: whether there is memory for so many relays that can't go on. */
    public void memory(IntPredicate fits) {
        memory = fits;
    }

    boolean fitsMemory() {
        return memory.test(live.size());
    }

    /** {@code listener} runs whenever one has ended, on its IO thread. */
    public void whenOneEnds(Runnable listener) {
        whenOneEnds = listener;
    }

    /** Resets all that are open, on their threads. */
    public void cutAll() {
        live.forEach(relaying -> IoTasks.execute(relaying.thread(), relaying::cut));
    }

    /**
     * Forgets what was counted of all endpoints but these, and of their rules but those that are named or have open
     * connections.
     */
    public void retain(Map<String, List<String>> names) {
        rules.keySet().retainAll(names.keySet());
        undetected.keySet().retainAll(names.keySet());
        rules.forEach((endpoint, of) -> of.values()
                .removeIf(state -> state.counters().open() == 0
                        && !names.getOrDefault(endpoint, List.of()).contains(state.name())));
    }

    /**
     * What was counted at an endpoint.
     *
     * @param order the names of its rules in their order; others that have open connections come after them
     */
    public ProxyStatus.Port status(String endpoint, List<String> order) {
        Map<String, RelayRule.State> known = rules.getOrDefault(endpoint, new ConcurrentSkipListMap<>());
        List<ProxyStatus.Rule> all = new ArrayList<>();
        order.forEach(name -> all.add(status(name, known.get(name))));
        known.forEach((name, state) -> {
            if (!order.contains(name) && state.counters().open() > 0) {
                all.add(status(name, state));
            }
        });
        Map<RelayEnd, Long> missed = new EnumMap<>(RelayEnd.class);
        undetected.getOrDefault(endpoint, Map.of()).forEach((reason, count) -> missed.put(reason, count.sum()));
        return new PortData(endpoint, all, missed);
    }

    private ProxyStatus.Rule status(String name, RelayRule.@Nullable State state) {
        if (state == null) {
            return new RuleData(name, 0, 0, 0, 0, List.of());
        }
        RuleCounters counters = state.counters();
        return new RuleData(
                name,
                counters.open(),
                counters.total(),
                counters.refusals(),
                counters.failures(),
                state.ejected(ejection.get()));
    }

    ByteBufferPool buffers() {
        return buffers;
    }

    BulkBuffers bulkBuffers() {
        return bulkBuffers;
    }

    Recorder recorder() {
        return recorder;
    }

    DescriptorRoom room() {
        return room;
    }

    OutlierEjection ejection() {
        return ejection.get();
    }

    LoopbackSource loopback() {
        return loopback;
    }

    RelayPaths paths() {
        return paths;
    }

    void ended(Relaying relaying) {
        live.remove(relaying);
        Guard.run("the end of a relay", whenOneEnds);
    }
}
