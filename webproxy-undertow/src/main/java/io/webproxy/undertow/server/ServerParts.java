package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyStatus;
import io.webproxy.spi.Listen;
import io.webproxy.tls.CertificateProvider;
import io.webproxy.undertow.auth.AuthRuntime;
import io.webproxy.undertow.deadline.BulkBuffers;
import io.webproxy.undertow.deadline.CloseSteps;
import io.webproxy.undertow.deadline.DescriptorRoom;
import io.webproxy.undertow.deadline.IoBuffers;
import io.webproxy.undertow.deadline.MemoryRoom;
import io.webproxy.undertow.endpoint.ClientConnection;
import io.webproxy.undertow.endpoint.OpenConnections;
import io.webproxy.undertow.endpoint.PortTools;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.forward.Forwarder;
import io.webproxy.undertow.observe.Recorder;
import io.webproxy.undertow.pipeline.HttpChallenges;
import io.webproxy.undertow.pipeline.Pipeline;
import io.webproxy.undertow.pipeline.Redirect;
import io.webproxy.undertow.relay.Relays;
import io.webproxy.undertow.status.StatusPages;
import io.webproxy.undertow.tls.TlsAcceptor;
import io.webproxy.undertow.tls.TlsChallenges;
import io.webproxy.undertow.upstream.Upstreams;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.xnio.Xnio;

/** The parts of one server, wired together, with the order of changes and the order of release. Thread-safe. */
final class ServerParts {
    /** A whole TLS record in its encrypted form (RFC 8446 section 5.2), which must fit into one buffer. */
    private static final int TLS_RECORD = 17 * 1024;
    /** What the TLS records of one large buffer add to it. */
    private static final int BULK_OVERHEAD = 2048;

    final IoThreads threads;
    final Exchanges exchanges;
    final Upstreams upstreams;
    final Relays relays;
    final OpenConnections connections;
    final Listeners listeners;
    final TunnelSides tunnels;
    final ServedTls tls;
    final StatusPages statusPages;
    /** Every change goes through it. */
    final Transaction transaction;

    private final AuthRuntime auth = new AuthRuntime();
    private final Authenticators authenticators = new Authenticators(auth);
    private final HttpChallenges httpChallenges = new HttpChallenges();
    private final TlsChallenges tlsChallenges = new TlsChallenges();
    private final CertificateProviders providers = new CertificateProviders(this::lend);
    private final IoBuffers records;
    private final EndpointKinds kinds;

    /**
     * For these IO threads, which end with it; nothing of the configuration is in force yet, except for what can't be
     * changed.
     *
     * @param status the server's, once it runs
     */
    ServerParts(ProxyConfig config, IoThreads threads, LongSupplier nanoClock, Supplier<ProxyStatus> status) {
        this.threads = threads;
        DescriptorRoom room = DescriptorRoom.ofProcess();
        IoBuffers buffers = new IoBuffers(
                Machine.bufferSize(config.tuning().bufferSize()),
                new BulkBuffers(BulkBuffers.SIZE, Machine.largeBuffers()));
        this.records = new IoBuffers(
                Math.max(TLS_RECORD, buffers.getBufferSize()),
                new BulkBuffers(BulkBuffers.SIZE + BULK_OVERHEAD, Machine.largeBuffers()));
        // observers are in place first, because certificate providers report events while they start
        Recorder recorder = new Recorder(config.observers(), config.accessLog().orElse(null));
        this.exchanges = new Exchanges(
                threads.all(),
                nanoClock,
                recorder,
                room,
                MemoryRoom.ofJvm(buffers.getBufferSize() + records.getBufferSize()));
        this.statusPages = new StatusPages(exchanges, status);
        this.connections = new OpenConnections(room, nanoClock);
        this.upstreams =
                new Upstreams(Xnio.getInstance(), threads.all(), exchanges, buffers, records, config.tlsProvider());
        this.relays = new Relays(
                exchanges::sweeper, buffers, new RelayDialer(upstreams), recorder, room, upstreams::outlierEjection);
        relays.memory(open -> exchanges.fitsRelays(open, buffers.getBufferSize()));
        // a relay has a second connection
        exchanges.connections(() -> connections.count() + relays.open());
        connections.memory(open -> exchanges.fitsConnection(open + relays.open()));
        this.tls = new ServedTls(recorder::tell);
        this.tunnels = new TunnelSides(new TunnelSides.Lent(
                threads.worker(),
                threads.all(),
                exchanges::sweeper,
                buffers,
                records,
                room,
                connections,
                recorder,
                tls,
                this::tunnelled));
        Forwarder forwarder = new Forwarder(upstreams);
        CurrentSettings settings = new CurrentSettings(connections, exchanges.routes());
        this.kinds = kinds(buffers, settings, forwarder);
        this.listeners = new Listeners(threads.worker(), connections, kinds::of, relays::retain);
        this.transaction = new Transaction(List.of(
                new FixedSettings(config),
                // ports before everything that is slow or logs: a start that fails because a port is taken should
                // report only that
                listeners,
                authenticators,
                tls,
                tunnels,
                new Forwarding(upstreams, forwarder, exchanges.routes()),
                settings,
                next -> () -> recorder.update(
                        statusPages.observers(next), next.accessLog().orElse(null)),
                next -> () -> statusPages.update(next),
                // these need the prepared ports, tunnels and TLS
                providers,
                tls.standIns(),
                authenticators.ends()));
    }

    private EndpointKinds kinds(IoBuffers buffers, CurrentSettings settings, Forwarder forwarder) {
        Redirect redirect = new Redirect(this::redirectPort);
        ServedHosts hosts = new ServedHosts(tls);
        return new EndpointKinds(
                new HttpEndpoints(buffers, records, exchanges, settings),
                new PortTools(buffers, exchanges::sweeper, relays, () -> tunnels),
                relays,
                settings,
                own -> new HttpEndpoints.Handlers(
                        Pipeline.toRoutes(exchanges, own, httpChallenges, hosts, forwarder, statusPages::answer),
                        Pipeline.toRoutes(exchanges, own, null, hosts, forwarder, statusPages::answer),
                        Pipeline.toRedirect(exchanges, own, httpChallenges, redirect)),
                clients -> new TlsAcceptor(Objects.requireNonNull(tls.get()), clients, tlsChallenges, records));
    }

    /** The handler of clients that came through a tunnel, and whose TLS is terminated here. */
    private Consumer<ClientConnection> tunnelled() {
        return kinds.tunnelled();
    }

    private RunningProvider lend(CertificateProvider provider) {
        ChallengeAnswers.Ports ports = new ChallengeAnswers.Ports(
                httpChallenges,
                tlsChallenges,
                () -> listeners.preparedPort(Listen::isCleartext),
                () -> firstOf(listeners.preparedPort(Listen::servesHttps), tunnels.preparedHttpsPort()),
                tunnels::awaitReachable);
        return new RunningProvider(
                provider, new ChallengeAnswers(ports, Objects.requireNonNull(tls.prepared())), exchanges.recorder());
    }

    /** Whether TLS is terminated here, if only for a status page. */
    boolean endsTls() {
        return firstOf(listeners.port(Listen::isTls), tunnels.httpsPort()) != 0;
    }

    /**
     * The HTTPS port of an endpoint, or of the public server that clients use to reach this one; 0 if there is none for
     * the routes.
     */
    private int httpsPort() {
        return firstOf(listeners.port(Listen::servesHttps), tunnels.httpsPort());
    }

    /** The port where HTTPS is spoken, if only by the target of a relay. */
    private int redirectPort() {
        return firstOf(httpsPort(), listeners.port(Listen::speaksTls));
    }

    private static int firstOf(int port, int other) {
        return port == 0 ? other : port;
    }

    /** Releases everything, whatever fails; returns when that is done. */
    void release() {
        new CloseSteps()
                .step("the status page", statusPages::release)
                .step("connections", connections::closeAll)
                .step("upstreams", upstreams::close)
                .step("authenticators", authenticators::close)
                .step("threads of authenticators", auth::close)
                .step("the watch over files", tls::close)
                .step("certificate providers", providers::close)
                // a thread that ends takes no more tasks, and closing parts submit some
                .step("tasks of IO threads", threads::settle)
                .step("IO threads", threads::end)
                .report();
    }
}
