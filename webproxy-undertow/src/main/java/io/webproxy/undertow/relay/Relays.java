package io.webproxy.undertow.relay;

import io.undertow.connector.ByteBufferPool;
import io.webproxy.ProxyStatus;
import io.webproxy.observe.RelayEnd;
import io.webproxy.port.Relay;
import io.webproxy.route.OutlierEjection;
import io.webproxy.spi.RelayData;
import io.webproxy.spi.RuleData;
import io.webproxy.undertow.deadline.BulkBuffers;
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

/** The relays of one server: the open ones, and counters by endpoint and rule. Thread-safe. */
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
     * @param ejection the rule for ejecting targets
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
     * A rule with these settings. It continues the counters of the previous rule of this name, and its open relays
     * count against its limits.
     *
     * @param endpoint the name of the endpoint
     * @param name the name of the rule; {@code silent} or {@code otherwise} for those targets
     */
    public RelayRule rule(String endpoint, String name, Relay settings) {
        return new RelayRule(state(endpoint, name), settings, dialer);
    }

    /** The counters of a rule that sends its connections to the routes. */
    public RuleCounters counters(String endpoint, String name) {
        return state(endpoint, name).counters();
    }

    /**
     * Takes over a client, on its IO thread: its connection is closed when this relay has ended. Never throws.
     *
     * <p>Replaces its read and write listeners, and its listener for the end of its endpoint. Bytes read already must
     * have been pushed back into its source.
     */
    public void open(RelayRule rule, RelayClient client) {
        Sweeper sweeper = sweepers.apply(client.connection().getIoThread());
        Relaying relaying = new Relaying(this, rule, client, sweeper);
        live.add(relaying);
        Guard.run("opening a relay", relaying::start, relaying::fail);
    }

    /**
     * No rule took a connection, which the caller closes.
     *
     * @param duration since it was accepted
     * @param reason one with {@link RelayEnd#isUndetected}
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

    /** Number of open relays. */
    public int open() {
        return live.size();
    }

    /** Sets a further limit: whether there is memory for so many stalled relays. */
    public void memory(IntPredicate fits) {
        memory = fits;
    }

    boolean fitsMemory() {
        return memory.test(live.size());
    }

    /** Runs {@code listener} whenever a relay has ended, on its IO thread. */
    public void whenOneEnds(Runnable listener) {
        whenOneEnds = listener;
    }

    /** Resets all open relays, on their threads. */
    public void cutAll() {
        live.forEach(relaying -> IoTasks.execute(relaying.thread(), relaying::cut));
    }

    /**
     * Drops the counters of all other endpoints, and of their rules except those that are named or have open
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
     * The counters of an endpoint's rules.
     *
     * @param order the names of its rules, in order; removed ones with open connections follow
     */
    public List<ProxyStatus.Rule> rules(String endpoint, List<String> order) {
        Map<String, RelayRule.State> known = rules.getOrDefault(endpoint, new ConcurrentSkipListMap<>());
        List<ProxyStatus.Rule> all = new ArrayList<>();
        order.forEach(name -> all.add(rule(endpoint, name, known.get(name))));
        known.forEach((name, state) -> {
            if (!order.contains(name) && state.counters().open() > 0) {
                all.add(rule(endpoint, name, state));
            }
        });
        return all;
    }

    /** How many connections of an endpoint no rule took, by reason. */
    public Map<RelayEnd, Long> undetected(String endpoint) {
        Map<RelayEnd, Long> missed = new EnumMap<>(RelayEnd.class);
        undetected.getOrDefault(endpoint, Map.of()).forEach((reason, count) -> missed.put(reason, count.sum()));
        return missed;
    }

    private ProxyStatus.Rule rule(String endpoint, String name, RelayRule.@Nullable State state) {
        if (state == null) {
            return new RuleData(endpoint, name, 0, 0, 0, 0, List.of());
        }
        RuleCounters counters = state.counters();
        return new RuleData(
                endpoint,
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
