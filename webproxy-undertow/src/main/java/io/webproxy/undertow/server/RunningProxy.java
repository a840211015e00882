package io.webproxy.undertow.server;

import io.undertow.connector.ByteBufferPool;
import io.undertow.server.DefaultByteBufferPool;
import io.webproxy.ProxyConfig;
import io.webproxy.ProxyEngine;
import io.webproxy.ProxyStartException;
import io.webproxy.ProxyStatus;
import io.webproxy.port.Endpoint;
import io.webproxy.port.PortRules;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.tls.CertificateProvider;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.tunnel.Tunnel;
import io.webproxy.undertow.deadline.CloseSteps;
import io.webproxy.undertow.deadline.DescriptorRoom;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.MemoryRoom;
import io.webproxy.undertow.endpoint.Arrival;
import io.webproxy.undertow.endpoint.OpenConnections;
import io.webproxy.undertow.endpoint.PortTools;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.forward.Forwarder;
import io.webproxy.undertow.observe.Recorder;
import io.webproxy.undertow.pipeline.AuthRuntime;
import io.webproxy.undertow.pipeline.HttpChallenges;
import io.webproxy.undertow.pipeline.Pipeline;
import io.webproxy.undertow.pipeline.RateLimiter;
import io.webproxy.undertow.pipeline.Redirect;
import io.webproxy.undertow.relay.Relays;
import io.webproxy.undertow.tls.ServerTls;
import io.webproxy.undertow.tls.TlsChallenges;
import io.webproxy.undertow.tls.TlsFront;
import io.webproxy.undertow.upstream.Upstreams;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.Xnio;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

/** One running server: its threads, endpoints and pools, wired together. Thread-safe. */
public final class RunningProxy implements ProxyEngine.Running {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.server");
    private static final int TASK_THREADS = 2;

    /** How long threads may take to end when all that they serve is closed. */
    private static final long END_SECONDS = 5;

    /** How long a start or an update may wait for the names of upstreams that have the port of an endpoint. */
    private static final Duration LOOKUP_LIMIT = Duration.ofSeconds(1);

    /** A whole TLS record in its encrypted form (RFC 8446 section 5.2), which must fit into one buffer. */
    private static final int TLS_RECORD = 17 * 1024;

    private final ProxyConfig startConfig;
    private final XnioWorker worker;
    private final ThreadWatch watch;
    private final List<XnioIoThread> threads = new ArrayList<>();
    private final Exchanges exchanges;
    private final Upstreams upstreams;
    private final Forwarder forwarder;
    private final Relays relays;
    private final AuthRuntime auth;
    private final Authenticators authenticators;
    private final RateLimiter rates = new RateLimiter();
    private final DescriptorRoom room = DescriptorRoom.ofProcess();
    private final OpenConnections connections = new OpenConnections(room);
    private final Listeners listeners;
    private final TunnelSides tunnels;
    private final EndpointKinds kinds;
    private final ByteBufferPool records;
    private final CountDownLatch ended = new CountDownLatch(1);
    private final CompletableFuture<Void> released = new CompletableFuture<>();
    private final Drain drain;
    private final HttpChallenges httpChallenges = new HttpChallenges();
    private final TlsChallenges tlsChallenges = new TlsChallenges();
    private final CertificateProviders providers = new CertificateProviders(this::lend);
    private final FilePoll files = new FilePoll(this::reloadFiles);
    private volatile @Nullable ServerTls tls;
    private volatile ServerSettings settings;
    private volatile boolean closing;

    private RunningProxy(ProxyConfig config, Duration rest, LongSupplier nanoClock) {
        this.startConfig = config;
        this.worker = newWorker(config);
        this.watch = new ThreadWatch(worker);
        for (int i = 0; i < Machine.ioThreads(config.ioThreads()); i++) {
            threads.add(worker.getIoThread(i));
        }
        ByteBufferPool buffers = new DefaultByteBufferPool(true, Machine.bufferSize(config.bufferSize()), -1, 4);
        this.records =
                buffers.getBufferSize() >= TLS_RECORD ? buffers : new DefaultByteBufferPool(true, TLS_RECORD, -1, 4);
        this.exchanges = new Exchanges(
                threads,
                nanoClock,
                new Recorder(config.observers(), config.accessLog().orElse(null)),
                room,
                MemoryRoom.ofJvm(buffers.getBufferSize() + records.getBufferSize()));
        this.upstreams = new Upstreams(Xnio.getInstance(), threads, exchanges, buffers, records, config.tlsProvider());
        this.forwarder = new Forwarder(upstreams);
        this.relays = new Relays(
                exchanges::sweeper,
                buffers,
                new RelayDialer(upstreams),
                exchanges.recorder(),
                room,
                upstreams::poolLimits);
        relays.memory(open -> exchanges.fitsRelays(open, buffers.getBufferSize()));
        // a relay has a second connection
        exchanges.connections(() -> connections.count() + relays.open());
        connections.memory(open -> exchanges.fitsConnection(open + relays.open()));
        this.auth = new AuthRuntime();
        this.authenticators = new Authenticators(auth);
        this.settings = settings(config);
        exchanges.routes().add(routeNames(config));
        connections.limits(config.connections(), config.trustedProxies());
        this.listeners = new Listeners(worker, connections);
        this.tunnels = new TunnelSides(new TunnelSides.Lent(
                worker,
                threads,
                exchanges::sweeper,
                buffers,
                records,
                room,
                connections,
                exchanges.recorder(),
                () -> tls,
                this::tunnelled));
        this.kinds = kinds(buffers);
        this.drain = new Drain(exchanges, relays, tunnels, connections, listeners::close, this::release, rest);
        try {
            OwnEndpoints own = ownEndpoints();
            own.check(config, OwnEndpoints.known(config));
            authenticators.change(config).keep();
            upstreams.update(upstreams.prepare(upstreamsOf(config)), config.limits(), config.pool());
            upstreams.check(config.routes());
            forwarder.update(config.routes(), config.retries());
            open(config, own);
        } catch (RuntimeException | Error e) {
            abandon();
            throw e;
        }
    }

    /** Starts everything, or nothing. */
    public static RunningProxy start(ProxyConfig config) {
        return start(config, Drain.REST);
    }

    /** The same; {@code rest} is how long a drain waits for connections without an exchange. */
    static RunningProxy start(ProxyConfig config, Duration rest) {
        return start(config, rest, System::nanoTime);
    }

    /** The same; limits of exchanges and connections, but not of a drain, go by this monotonic clock in nanoseconds. */
    public static RunningProxy start(ProxyConfig config, LongSupplier nanoClock) {
        return start(config, Drain.REST, nanoClock);
    }

    private static RunningProxy start(ProxyConfig config, Duration rest, LongSupplier nanoClock) {
        JavaRuntime.check();
        UndertowVersion.check();
        WarmUp.run();
        return new RunningProxy(config, rest, nanoClock);
    }

    private XnioWorker newWorker(ProxyConfig config) {
        OptionMap options = OptionMap.builder()
                .set(Options.WORKER_NAME, "webproxy")
                .set(Options.WORKER_IO_THREADS, Machine.ioThreads(config.ioThreads()))
                .set(Options.WORKER_TASK_CORE_THREADS, TASK_THREADS)
                .set(Options.WORKER_TASK_MAX_THREADS, TASK_THREADS)
                .set(Options.THREAD_DAEMON, true)
                .getMap();
        try {
            return Xnio.getInstance(null, RunningProxy.class.getClassLoader())
                    .createWorker(null, options, ended::countDown);
        } catch (IOException e) {
            throw new ProxyStartException("The IO threads can't be started: " + e.getMessage() + ".", e);
        }
    }

    private ServerSettings settings(ProxyConfig config) {
        rates.retain(config.routes().stream().map(Route::name).collect(Collectors.toSet()));
        return ServerSettings.of(config, rates);
    }

    private static Set<Upstream> upstreamsOf(ProxyConfig config) {
        return config.routes().stream()
                .map(Route::upstreams)
                .flatMap(List::stream)
                .collect(Collectors.toUnmodifiableSet());
    }

    private static Set<String> routeNames(ProxyConfig config) {
        return config.routes().stream().map(Route::name).collect(Collectors.toUnmodifiableSet());
    }

    private EndpointKinds kinds(ByteBufferPool buffers) {
        Redirect redirect = new Redirect(this::redirectPort);
        ServedHosts hosts = new ServedHosts(() -> tls);
        return new EndpointKinds(
                new HttpEndpoints(buffers, exchanges, () -> settings),
                new PortTools(buffers, exchanges::sweeper, relays, () -> tunnels),
                relays,
                () -> settings,
                own -> new HttpEndpoints.Handlers(
                        Pipeline.toRoutes(exchanges, own, httpChallenges, hosts, forwarder),
                        Pipeline.toRoutes(exchanges, own, null, hosts, forwarder),
                        Pipeline.toRedirect(exchanges, own, httpChallenges, redirect)),
                clients -> new TlsFront(Objects.requireNonNull(tls), clients, tlsChallenges, records));
    }

    private static OwnEndpoints ownEndpoints() {
        return new OwnEndpoints(new BoundedLookup(LOOKUP_LIMIT));
    }

    private void open(ProxyConfig config, OwnEndpoints own) {
        // the ports first: a start that fails for a taken one has nothing else to say
        Listeners.Change opened = listeners.prepare(config);
        try {
            own.check(config, opened.bound());
            prepareTls(config);
            TunnelSides.Change tunnelled = tunnels.prepare(config);
            // the ports of endpoints are asked for by certificate providers
            opened.putInForce();
            providers.change(ServerTls.providers(config.certificates())).keep();
            ServerTls created = tls;
            if (created != null) {
                created.makeStandIns();
            }
            opened.open(kinds::of, config.drainTime());
            tunnelled.putInForce();
        } catch (RuntimeException | Error e) {
            opened.undo();
            throw e;
        }
        pollFiles(config);
    }

    /** Certificates for HTTPS endpoints; the first one of a server finds them in force already. A server without HTTPS keeps those of connections that go on. */
    private ServerTls.@Nullable Prepared prepareTls(ProxyConfig config) {
        ServerTls serving = tls;
        if (!hasTls(config)) {
            return null;
        }
        Set<ClientCertificates> ofEndpoints = config.listens().stream()
                .map(listen -> listen.settings().clientCertificates())
                .flatMap(Optional::stream)
                .collect(Collectors.toUnmodifiableSet());
        if (serving != null) {
            return serving.prepare(config.certificates(), config.clientCertificates(), ofEndpoints);
        }
        tls = ServerTls.create(config.certificates(), config.clientCertificates(), ofEndpoints, config.tlsProvider());
        return null;
    }

    private static boolean hasTls(ProxyConfig config) {
        return config.listens().stream().anyMatch(ProxyConfig.Listen::isTls)
                || config.tunnels().stream().anyMatch(Tunnel::hasHttps);
    }

    /** What takes clients that have come through a tunnel, and whose TLS ends here. */
    private Consumer<Arrival> tunnelled() {
        return kinds.tunnelled();
    }

    private void pollFiles(ProxyConfig config) {
        ServerTls serving = tls;
        files.every(
                hasTls(config) && serving != null && serving.hasFiles() ? config.certificateReload() : Duration.ZERO);
    }

    private void reloadFiles() {
        ServerTls serving = tls;
        if (serving != null) {
            serving.reload(exchanges.recorder()::certificateChanged);
        }
    }

    private RunningProvider lend(CertificateProvider provider) {
        ChallengeAnswers.Ports ports = new ChallengeAnswers.Ports(
                httpChallenges, tlsChallenges, this::httpPort, this::httpsPort, tunnels::awaitReachable);
        ChallengeAnswers challenges = new ChallengeAnswers(ports, Objects.requireNonNull(tls));
        return new RunningProvider(provider, challenges, exchanges.recorder());
    }

    /** Of an endpoint, or of the public server that clients reach this one by; 0 if TLS ends nowhere here. */
    private int httpsPort() {
        int own = listeners.port(ProxyConfig.Listen::isTls);
        return own == 0 ? tunnels.httpsPort() : own;
    }

    /** Where HTTPS is spoken, if only by the target of a relay. */
    private int redirectPort() {
        int here = httpsPort();
        return here == 0
                ? listeners.port(
                        listen -> listen.rules().filter(PortRules::speaksTls).isPresent())
                : here;
    }

    private int httpPort() {
        return listeners.port(ProxyConfig.Listen::isCleartext);
    }

    /** A start that failed: what was opened is closed again before the exception gets out. */
    private void abandon() {
        new CloseSteps()
                .step("endpoints", listeners::close)
                .step("tunnels", tunnels::leave)
                .report();
        release();
    }

    @Override
    public ProxyStatus status() {
        if (released.isDone()) {
            return ProxyStatus.empty();
        }
        int tunnels = exchanges.tunnels();
        ServerTls serving = httpsPort() == 0 ? null : tls;
        return new ProxyStatus(
                listeners.endpoints(),
                serving == null ? "" : serving.providerName(),
                connections.count(),
                connections.refused(),
                connections.failures(),
                Math.max(0, exchanges.running() - tunnels),
                tunnels,
                upstreams.status(),
                ports(),
                this.tunnels.status(),
                serving == null ? List.of() : serving.status(),
                Optional.ofNullable(watch.failure()));
    }

    private List<ProxyStatus.Port> ports() {
        Map<String, List<String>> names = listeners.ruleNames();
        return listeners.endpoints().stream()
                .filter(endpoint -> endpoint.protocol() == Endpoint.Protocol.RULES)
                .map(endpoint -> relays.status(endpoint.name(), names.getOrDefault(endpoint.name(), List.of())))
                .toList();
    }

    @Override
    public CompletionStage<String> failure() {
        return watch.whenFailed();
    }

    @Override
    public synchronized void update(ProxyConfig config) {
        if (closing) {
            throw new ProxyStartException("The server is closed: start another one.");
        }
        if (!config.bind().equals(startConfig.bind())
                || config.ioThreads() != startConfig.ioThreads()
                || config.bufferSize() != startConfig.bufferSize()
                || config.backlog() != startConfig.backlog()
                || config.tlsProvider() != startConfig.tlsProvider()) {
            throw new ProxyStartException("bind, ioThreads, bufferSize, backlog and tlsProvider can't be changed"
                    + " while the server runs: start another server.");
        }
        OwnEndpoints own = ownEndpoints();
        own.check(config, OwnEndpoints.known(config));
        Authenticators.Change whoDecides = authenticators.change(config);
        Listeners.Change ports = null;
        CertificateProviders.Change change = null;
        TunnelSides.Change tunnelled;
        ServerTls serving = tls;
        try {
            ports = listeners.prepare(config);
            own.check(config, ports.bound());
            ServerTls.Prepared certificates = prepareTls(config);
            tunnelled = tunnels.prepare(config);
            Upstreams.Prepared prepared = upstreams.prepare(upstreamsOf(config));
            ports.putInForce();
            change = providers.change(ServerTls.providers(config.certificates()));
            ServerTls created = tls;
            if (serving == null && created != null) {
                created.makeStandIns();
            }
            upstreams.update(prepared, config.limits(), config.pool());
            if (certificates != null) {
                certificates.putInForce();
            }
        } catch (RuntimeException | Error e) {
            if (change != null) {
                change.undo();
            }
            if (ports != null) {
                ports.undo();
            }
            tls = serving;
            whoDecides.undo();
            throw e;
        }
        Set<String> routes = routeNames(config);
        exchanges.routes().add(routes);
        upstreams.check(config.routes());
        forwarder.update(config.routes(), config.retries());
        settings = settings(config);
        exchanges.routes().retain(routes, System.nanoTime() + config.drainTime().toNanos());
        connections.limits(config.connections(), config.trustedProxies());
        exchanges.recorder().update(config.observers(), config.accessLog().orElse(null));
        change.keep();
        pollFiles(config);
        ports.open(kinds::of, config.drainTime());
        tunnelled.putInForce();
        relays.retain(listeners.ruleNames());
        whoDecides.keep();
    }

    @Override
    public CompletionStage<Void> drain(Duration limit) {
        closing = true;
        drain.start(limit);
        return released.copy();
    }

    /** Releases everything, whatever fails; returns when it is released. */
    private void release() {
        CloseSteps steps = new CloseSteps()
                .step("connections", connections::closeAll)
                .step("upstreams", upstreams::close)
                .step("authenticators", authenticators::close)
                .step("threads of authenticators", auth::close)
                .step("the watch over files", files::close)
                .step("certificate providers", providers::close)
                // a thread that ends takes no more tasks, and what is closed has some to give
                .step("tasks of IO threads", () -> IoTasks.settle(threads))
                .step("IO threads", this::endThreads);
        steps.report();
        released.complete(null);
    }

    private void endThreads() {
        watch.stop();
        worker.shutdown();
        try {
            if (!ended.await(END_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("The IO threads haven't ended within {} s: the server counts as closed", END_SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
