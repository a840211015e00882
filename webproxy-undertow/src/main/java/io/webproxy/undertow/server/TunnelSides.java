package io.webproxy.undertow.server;

import io.undertow.connector.ByteBufferPool;
import io.webproxy.ProxyConfig;
import io.webproxy.port.Sni;
import io.webproxy.spi.HostPattern;
import io.webproxy.spi.PortRule;
import io.webproxy.spi.TunnelStatusData;
import io.webproxy.tunnel.Tunnel;
import io.webproxy.tunnel.TunnelServer;
import io.webproxy.tunnel.TunnelStatus;
import io.webproxy.undertow.deadline.CloseSteps;
import io.webproxy.undertow.deadline.DescriptorRoom;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.endpoint.Acceptor;
import io.webproxy.undertow.endpoint.ClientConnection;
import io.webproxy.undertow.endpoint.OpenConnections;
import io.webproxy.undertow.endpoint.Tunnels;
import io.webproxy.undertow.observe.Recorder;
import io.webproxy.undertow.sniff.Peeked;
import io.webproxy.undertow.tls.ServerTls;
import io.webproxy.undertow.tunnel.Incoming;
import io.webproxy.undertow.tunnel.LiveRelays;
import io.webproxy.undertow.tunnel.PrivateSide;
import io.webproxy.undertow.tunnel.PublicSide;
import io.webproxy.undertow.tunnel.PublicState;
import io.webproxy.undertow.upstream.ProxyHeaderWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

/**
 * The tunnels of one server: its public side, if its endpoints have rules for one, and its private sides. Thread-safe;
 * one change at a time.
 */
final class TunnelSides implements Tunnels, Part {
    private static final Duration LOOK = Duration.ofMillis(500);
    private static final Duration REACHABLE = Duration.ofSeconds(20);
    private static final Duration REACHABLE_LOOK = Duration.ofMillis(50);
    private static final InetSocketAddress ANY_ADDRESS = new InetSocketAddress(InetAddress.getLoopbackAddress(), 443);

    private final Lent lent;
    private final LiveRelays live = new LiveRelays();
    private final PublicState state = new PublicState();
    private final Acceptor dialled;
    private final FilePoll poll = new FilePoll(this::look);
    private volatile @Nullable PublicSide publicSide;
    private volatile Map<Tunnel, PrivateSide> privateSides = Map.of();
    /** The prepared private sides; they differ from those in force only during a change. */
    private volatile Map<Tunnel, PrivateSide> prepared = Map.of();

    private volatile long noWaitUntil = System.nanoTime();
    private volatile List<HostPattern> routes = List.of();
    private volatile List<Sni> rules = List.of();
    private @Nullable TunnelServer server;

    /**
     * What the tunnels need from the server.
     *
     * @param records buffers that hold a whole TLS record each
     * @param tls the server's TLS termination; null while it has none
     * @param https takes connections whose TLS is terminated here
     */
    record Lent(
            XnioWorker worker,
            List<XnioIoThread> threads,
            Function<XnioIoThread, Sweeper> sweepers,
            ByteBufferPool buffers,
            ByteBufferPool records,
            DescriptorRoom room,
            OpenConnections connections,
            Recorder recorder,
            Supplier<@Nullable ServerTls> tls,
            Supplier<Consumer<ClientConnection>> https) {}

    TunnelSides(Lent lent) {
        this.lent = lent;
        this.dialled = new Acceptor(lent.connections(), client -> {});
    }

    /** A connection as the tunnels' side sees it. */
    private record Arrived(ClientConnection source) implements Incoming {
        @Override
        public StreamConnection connection() {
            return source.connection();
        }

        @Override
        public InetSocketAddress client() {
            return source.client();
        }

        @Override
        public void settled() {
            source.settled();
        }

        @Override
        public void onLeave(Runnable listener) {
            source.onLeave(listener);
        }
    }

    @Override
    public boolean serves(Peeked.ClientHello hello) {
        PublicSide side = publicSide;
        return side != null && side.serves(hello);
    }

    @Override
    public void control(ClientConnection client) {
        with(client, side -> side.control(new Arrived(client)));
    }

    @Override
    public void data(ClientConnection client, ByteBuffer read) {
        with(client, side -> side.data(new Arrived(client), read));
    }

    @Override
    public void client(ClientConnection client, Peeked.ClientHello hello, ByteBuffer read) {
        with(client, side -> side.client(new Arrived(client), hello, read));
    }

    private void port(ClientConnection client, int port) {
        with(client, side -> side.port(new Arrived(client), port));
    }

    private void with(ClientConnection client, Consumer<PublicSide> what) {
        PublicSide side = publicSide;
        if (side == null) {
            client.settled();
            IoUtils.safeClose(client.connection());
        } else {
            Guard.run("a connection of a tunnel", () -> what.accept(side), () -> {
                client.settled();
                IoUtils.safeClose(client.connection());
            });
        }
    }

    /** Terminates the TLS of a client that came through a tunnel. */
    private void https(StreamConnection connection, InetSocketAddress address) {
        ClientConnection client = lent.connections().admitFor(address, connection, dialled);
        if (client == null) {
            IoUtils.safeClose(connection);
        } else {
            Guard.run(
                    "opening a connection",
                    () -> lent.https().get().accept(client),
                    () -> IoUtils.safeClose(connection));
        }
    }

    private void look() {
        PublicSide side = publicSide;
        if (side != null) {
            side.look();
        }
    }

    /** Reads the keys and files of new tunnels; nothing is dialled or accepted yet. */
    @Override
    public Change prepare(ProxyConfig config) {
        TunnelServer wanted = config.tunnelServer().orElse(null);
        TunnelServer before = server;
        PublicSide side = publicSide;
        boolean same = side != null && wanted != null && before != null && wanted.isSameServer(before);
        PublicSide next = same ? side : wanted == null ? null : new PublicSide(wanted, environment(config));
        Map<Tunnel, PrivateSide> privates = new LinkedHashMap<>();
        List<PrivateSide> added = new ArrayList<>();
        for (Tunnel tunnel : config.tunnels()) {
            PrivateSide known = privateSides.get(tunnel);
            if (known == null) {
                known = new PrivateSide(tunnel, privateEnvironment(config));
                added.add(known);
            }
            privates.put(tunnel, known);
        }
        prepared = Collections.unmodifiableMap(privates);
        return new Read(config, wanted, next, prepared, added);
    }

    private PublicSide.Environment environment(ProxyConfig config) {
        return new PublicSide.Environment(
                lent.sweepers(),
                lent.worker(),
                lent.buffers(),
                lent.records(),
                new AgentPorts(lent.worker(), lent.connections(), config, this::port),
                state,
                this::isServedHere,
                live,
                lent.recorder(),
                config.tlsProvider());
    }

    private PrivateSide.Environment privateEnvironment(ProxyConfig config) {
        return new PrivateSide.Environment(
                lent.threads(),
                lent.sweepers(),
                lent.worker(),
                lent.buffers(),
                lent.records(),
                lent.room(),
                ProxyHeaderWriter::proxied,
                this::https,
                live,
                lent.recorder(),
                config.tlsProvider());
    }

    /** Whether a rule, a route or a certificate of this server is for a name, so that no agent may have it. */
    private boolean isServedHere(HostPattern name) {
        String host = name.isWildcard() ? "any" + name.toString().substring(1) : name.toString();
        ServerTls tls = lent.tls().get();
        return routes.stream().anyMatch(route -> route.matches(host))
                || rules.stream().anyMatch(sni -> sni.matches(host, List.of()))
                || (tls != null && tls.hasCertificate(host, ANY_ADDRESS));
    }

    /** Tunnels that were read, and aren't in force. */
    private final class Read implements Change {
        private final @Nullable PublicSide publicBefore = publicSide;
        private final Map<Tunnel, PrivateSide> privatesBefore = privateSides;
        private final ProxyConfig config;
        private final @Nullable TunnelServer wanted;
        private final @Nullable PublicSide next;
        private final Map<Tunnel, PrivateSide> privates;
        private final List<PrivateSide> added;

        Read(
                ProxyConfig config,
                @Nullable TunnelServer wanted,
                @Nullable PublicSide next,
                Map<Tunnel, PrivateSide> privates,
                List<PrivateSide> added) {
            this.config = config;
            this.wanted = wanted;
            this.next = next;
            this.privates = privates;
            this.added = added;
        }

        /** Lets agents connect. */
        @Override
        public void commit() {
            routes = config.routes().stream()
                    .map(route -> route.host())
                    .filter(host -> !host.isAny())
                    .toList();
            rules = config.listens().stream()
                    .flatMap(listen -> listen.rules().stream())
                    .flatMap(all -> all.rules().stream())
                    .filter(rule -> rule.protocol() == PortRule.Protocol.TLS)
                    .map(PortRule::sni)
                    .filter(sni -> !sni.matches(null, List.of()) && !sni.equals(Sni.any()))
                    .toList();
            if (next != null && wanted != null) {
                next.putInForce(wanted);
            }
            publicSide = next;
            server = wanted;
            privateSides = privates;
        }

        @Override
        public void rollBack() {
            prepared = privatesBefore;
        }

        /** Dials new tunnels; removed ones take no more clients. */
        @Override
        public void finish() {
            if (publicBefore != null && publicBefore != next) {
                publicBefore.leave(next);
            }
            privatesBefore.forEach((tunnel, side) -> {
                if (!privates.containsKey(tunnel)) {
                    side.leave(hasSuccessor(tunnel));
                }
            });
            added.forEach(PrivateSide::start);
            poll.every(next == null ? Duration.ZERO : LOOK);
        }

        private boolean hasSuccessor(Tunnel gone) {
            return added.stream().anyMatch(side -> side.tunnel().identity().equals(gone.identity()));
        }
    }

    /** The open relays of both sides. */
    LiveRelays live() {
        return live;
    }

    /** The port of the first public server whose clients' TLS is terminated here; 0 if there is none. */
    int httpsPort() {
        return httpsPort(privateSides);
    }

    /** The same among the prepared ones. */
    int preparedHttpsPort() {
        return httpsPort(prepared);
    }

    private static int httpsPort(Map<Tunnel, PrivateSide> among) {
        return among.keySet().stream()
                .filter(Tunnel::hasHttps)
                .mapToInt(tunnel -> tunnel.servers().get(0).getPort())
                .findFirst()
                .orElse(0);
    }

    /**
     * Waits up to 20 s, and at most once a minute, until a public server has accepted a name whose TLS is terminated
     * here. Returns at once for other names, or when the thread is interrupted. Not for an IO thread.
     */
    void awaitReachable(String name) {
        long start = System.nanoTime();
        if (start - noWaitUntil < 0) {
            return;
        }
        while (isAwaited(name)) {
            if (System.nanoTime() - start >= REACHABLE.toNanos()) {
                noWaitUntil = System.nanoTime() + Duration.ofMinutes(1).toNanos();
                return;
            }
            try {
                Thread.sleep(REACHABLE_LOOK.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private boolean isAwaited(String name) {
        List<PrivateSide> announcing =
                prepared.values().stream().filter(side -> side.hasHttps(name)).toList();
        return !announcing.isEmpty() && announcing.stream().noneMatch(side -> side.isAccepted(name));
    }

    /** The current state of both sides. */
    TunnelStatus status() {
        PublicSide side = publicSide;
        List<TunnelStatus.Server> servers = privateSides.values().stream()
                .flatMap(each -> each.status().stream())
                .toList();
        if (side == null) {
            return servers.isEmpty() ? TunnelStatusData.NONE : new TunnelStatusData("", List.of(), 0, 0, 0, servers);
        }
        return new TunnelStatusData(
                side.fingerprint(), side.agentStatus(), side.clients(), side.refused(), side.refusedAgents(), servers);
    }

    /** Takes no more clients; open relays continue. Not for an IO thread. */
    void leave() {
        new CloseSteps()
                .step("the watch over the agents file", poll::close)
                .each("private sides", privateSides.values(), side -> side.leave(false))
                .step("the public side", () -> {
                    PublicSide side = publicSide;
                    if (side != null) {
                        side.leave(null);
                    }
                })
                .step("clients of tunnels", () -> lent.connections().leave(Objects.requireNonNull(dialled)))
                .report();
    }
}
