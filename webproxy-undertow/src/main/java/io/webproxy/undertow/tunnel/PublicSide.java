package io.webproxy.undertow.tunnel;

import io.undertow.connector.ByteBufferPool;
import io.webproxy.ProxyStartException;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.observe.TunnelEvent;
import io.webproxy.spi.HostPattern;
import io.webproxy.spi.TlsProvider;
import io.webproxy.spi.TunnelEventData;
import io.webproxy.spi.TunnelKey;
import io.webproxy.tunnel.TunnelServer;
import io.webproxy.tunnel.TunnelStatus;
import io.webproxy.undertow.deadline.CloseSteps;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.observe.AddressText;
import io.webproxy.undertow.observe.Recorder;
import io.webproxy.undertow.sniff.Peeked;
import io.webproxy.undertow.sniff.TunnelMark;
import io.webproxy.undertow.tls.PinnedTls;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.security.cert.CertificateException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;
import org.xnio.ssl.SslConnection;

/**
 * The public side of tunnels: agents dial it and announce names and ports; it hands visitors over to them, without
 * terminating their TLS. Thread-safe.
 */
public final class PublicSide {
    /** Capabilities beyond the first version: none yet. */
    static final long CAPABILITIES = 0;

    /** The reason that channels give when they end. */
    static final String CLOSING = "the server is closing";

    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tunnel");

    private volatile @Nullable PublicSide successor;

    private final Environment environment;
    private final TunnelKey key;
    private final Agents agents;
    private final Registry registry;
    private final PublicState state;
    private final PinnedTls tls;
    private final AgentChannels channels = new AgentChannels();
    private final AnnouncedPorts ports;
    private final Refusals refusals;

    /**
     * What the public side needs from the server.
     *
     * @param sweepers the sweeper of each IO thread
     * @param executor for tasks that may block
     * @param buffers of relays
     * @param records buffers that hold a whole TLS record each
     * @param ports opens ports that agents announce; for this side only
     * @param state state of earlier sides of the same server
     * @param takenHere whether the server itself serves a name
     * @param live counts open relays
     * @param recorder is told of ended relays
     */
    public record Environment(
            Function<XnioIoThread, Sweeper> sweepers,
            Executor executor,
            ByteBufferPool buffers,
            ByteBufferPool records,
            Ports ports,
            PublicState state,
            Predicate<HostPattern> takenHere,
            LiveRelays live,
            Recorder recorder,
            TlsProvider tlsProvider) {}

    /** Opens ports for agents. Not for an IO thread. */
    public interface Ports {
        /**
         * Listens on a port, and hands its connections to {@link PublicSide#port}.
         *
         * @throws ProxyStartException with one sentence, if that fails
         */
        void open(int port);

        /** Stops listening; no effect if it doesn't listen. */
        void close(int port);

        /** Closes all of them, and opens none again. */
        void closeAll();
    }

    /**
     * Reads the agents file and the identity, which is created if there is none; agents can connect once it is
     * {@linkplain #putInForce in force}. Not for an IO thread.
     *
     * @throws ProxyStartException with one sentence, if one is unusable
     */
    public PublicSide(TunnelServer server, Environment environment) {
        this.environment = environment;
        this.state = environment.state();
        this.refusals = new Refusals(state, environment.recorder());
        try {
            this.agents = new Agents(server.agents());
            this.key = TunnelKey.obtain(server.identity(), "public");
        } catch (IllegalArgumentException e) {
            throw new ProxyStartException(e.getMessage() + ".", e);
        }
        this.registry = new Registry(agents, environment.takenHere(), System::nanoTime);
        this.ports = new AnnouncedPorts(registry, environment.ports());
        this.tls = PinnedTls.server(
                key.material(),
                leaf -> {
                    if (agents.find(TunnelKey.fingerprintOf(leaf)) == null) {
                        refusals.key(TunnelKey.fingerprintOf(leaf));
                        throw new CertificateException(Refusals.UNKNOWN_KEY);
                    }
                },
                TunnelMark.PROTOCOL,
                environment.records(),
                environment.tlsProvider());
    }

    /** The fingerprint that agents pin. */
    public String fingerprint() {
        return key.fingerprint();
    }

    /** Whether an agent has announced what a client asks for, or is waited for. On any thread. */
    public boolean serves(Peeked.ClientHello hello) {
        String name = hello.serverName();
        if (name == null) {
            return false;
        }
        long now = System.nanoTime();
        Message.Item wanted = Registry.named(name);
        Registry.Entry found = registry.find(wanted, now);
        return found == null ? registry.isAwaited(wanted, now) : !registry.isTakenHere(found, wanted);
    }

    /**
     * A client whose ClientHello is {@linkplain #serves served}, with all bytes that were read. On the connection's
     * thread.
     */
    public void client(Incoming incoming, Peeked.ClientHello hello, ByteBuffer read) {
        visitor(incoming, Registry.named(String.valueOf(hello.serverName())), read);
    }

    /** An agent's control channel, whose bytes were all pushed back into its source. On the connection's thread. */
    public void control(Incoming incoming) {
        StreamConnection connection = incoming.connection();
        SslConnection secure = tls.accept(connection);
        Sweeper sweeper = environment.sweepers().apply(connection.getIoThread());
        AgentChannel channel = new AgentChannel(incoming, secure, this, sweeper, environment.buffers());
        AgentChannel oldest = channels.accepted(channel);
        if (oldest != null) {
            oldest.end(0, "too many control channels say nothing");
        }
        channel.start(false);
    }

    /** A connection that starts with the mark of a data connection. On its thread. */
    public void data(Incoming incoming, ByteBuffer read) {
        Sweeper sweeper = environment.sweepers().apply(incoming.connection().getIoThread());
        new DataConnection(incoming, read, this, sweeper).start();
    }

    /** A connection to a port that was opened for an agent. On its thread. */
    public void port(Incoming incoming, int port) {
        visitor(incoming, Message.Item.port(port), ByteBuffer.allocate(0));
    }

    void visitor(Incoming incoming, Message.Item wanted, ByteBuffer read) {
        Sweeper sweeper = environment.sweepers().apply(incoming.connection().getIoThread());
        new HandOver(incoming, wanted, read, this, sweeper).start();
    }

    /**
     * Comes into force with these limits, possibly replacing another side: agents that the agents file no longer lists
     * lose their relays, and announcements of names that the server now serves itself are dropped. Not for an IO
     * thread.
     */
    public void putInForce(TunnelServer limits) {
        state.counts.limits(limits);
        cutRemoved();
        for (Map.Entry<AgentChannel, Message.Item> lost : registry.dropTaken().entrySet()) {
            lost.getKey().end(0, lost.getValue() + " is served by the public server itself now: announce again");
        }
    }

    /** Checks the agents file, and forgets old announcements. Not for an IO thread. */
    public void look() {
        if (agents.look()) {
            for (AgentChannel channel : channels.open()) {
                check(channel);
            }
            channels.keepAgents(agents);
            cutRemoved();
        }
        ports.closeForgotten();
    }

    private void cutRemoved() {
        for (AgentState agent : List.copyOf(state.agents.values())) {
            if (agents.find(agent.fingerprint()) == null) {
                state.agents.remove(agent.fingerprint());
                registry.removed(agent.fingerprint());
                agent.remove();
            }
        }
    }

    /** Ends a channel whose line in the agents file has changed. */
    void check(AgentChannel channel) {
        AgentEntry entry = agents.find(channel.fingerprint());
        if (entry == null) {
            channel.end(Message.Verdict.NOT_ALLOWED, "the agent was removed from the agents file");
        } else if (!entry.equals(channel.entry())) {
            channel.end(0, "the agents file has changed: announce again");
        }
    }

    Message.Verdict announce(AgentChannel channel, AgentEntry agent, Message.Offer offer) {
        return offer.item().kind() == Message.Kind.NAME
                ? registry.announce(channel, agent, offer)
                : ports.announce(channel, agent, offer);
    }

    /** A channel has sent its hello, or is over. */
    void greeted(AgentChannel channel) {
        channels.greeted(channel);
    }

    /**
     * A channel is open; closes an older one of the same instance of the agent. False if the agent has too many, or the
     * server is closing.
     */
    boolean up(AgentChannel channel) {
        List<AgentChannel> older = channels.open(channel);
        if (older == null) {
            return false;
        }
        for (AgentChannel other : older) {
            other.end(0, "the agent has opened a newer channel");
            registry.lost(other);
        }
        LOG.info(
                "Agent {} is connected from {} ({})",
                channel.agent().name(),
                AddressText.of(channel.incoming().client()),
                channel.software());
        tell(ProxyObserver::tunnelAgentConnected, channel, "", "");
        return true;
    }

    void down(AgentChannel channel, Farewell farewell, String reason) {
        channels.closed(channel, reason);
        if (farewell == Farewell.PEER) {
            registry.left(channel);
        } else {
            registry.lost(channel);
        }
        if (farewell == Farewell.NONE) {
            LOG.info("Agent {} is lost: {}", channel.agent().name(), reason);
            tell(ProxyObserver::tunnelAgentLost, channel, "", reason);
        } else {
            LOG.info("Agent {} is disconnected: {}", channel.agent().name(), reason);
            tell(ProxyObserver::tunnelAgentDisconnected, channel, "", reason);
        }
    }

    void tell(BiConsumer<ProxyObserver, TunnelEvent> method, AgentChannel channel, String subject, String detail) {
        TunnelEvent event = new TunnelEventData(channel.agent().name(), subject, detail);
        recorder().tell(observer -> method.accept(observer, event));
    }

    AgentState agent(AgentEntry entry) {
        AgentState agent = state.agents.computeIfAbsent(entry.fingerprint(), AgentState::new);
        agent.name(entry.name());
        return agent;
    }

    /** Number of refused visitors since the start. */
    public long refused() {
        return refusals.visitors();
    }

    /** Number of refused connections of agents since the start. */
    public long refusedAgents() {
        return refusals.agents();
    }

    /** Number of visitors, including waiting ones. */
    public int clients() {
        return state.counts.all();
    }

    /** The status of open channels, and the last one of each agent without one. */
    public List<TunnelStatus.Agent> agentStatus() {
        return channels.status();
    }

    void execute(Runnable task) {
        try {
            environment.executor().execute(task);
        } catch (RejectedExecutionException e) {
            // the server is closing
        }
    }

    InetSocketAddress local(StreamConnection connection) {
        InetSocketAddress local = connection.getLocalAddress(InetSocketAddress.class);
        return local == null ? new InetSocketAddress(0) : local;
    }

    /** For tests: how many control channels an agent may have. */
    void mostOfAgent(int most) {
        channels.mostOfAgent(most);
    }

    Agents agents() {
        return agents;
    }

    Refusals refusals() {
        return refusals;
    }

    Registry registry() {
        return registry;
    }

    Tokens<Claim> tokens() {
        return state.tokens;
    }

    Counts counts() {
        return state.counts;
    }

    ByteBufferPool buffers() {
        return environment.buffers();
    }

    String software() {
        return Software.name();
    }

    /**
     * Takes no more clients, and says goodbye to every agent once its requested clients are connected; relays continue.
     * Not for an IO thread.
     *
     * @param next replaces this one, and gets the waiting clients; null if there is none
     */
    public void leave(@Nullable PublicSide next) {
        successor = next;
        List<AgentChannel> silent = channels.waiting();
        List<AgentChannel> open = channels.leave();
        String why = next == null ? CLOSING : "the server has other tunnels now: connect again";
        new CloseSteps()
                .step("ports of agents", ports::closeAll)
                .each("control channels", open, channel -> channel.leave(why))
                .each("control channels without a word", silent, channel -> channel.end(0, why))
                .report();
    }

    /** Whether it takes no more agents and clients. */
    boolean isLeaving() {
        return channels.isLeaving();
    }

    /** The side that has replaced this one; null if there is none. */
    @Nullable PublicSide successor() {
        return successor;
    }

    LiveRelays live() {
        return environment.live();
    }

    Recorder recorder() {
        return environment.recorder();
    }
}
