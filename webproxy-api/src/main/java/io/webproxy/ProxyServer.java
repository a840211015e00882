package io.webproxy;

import io.webproxy.observe.ProxyObserver;
import io.webproxy.port.Endpoint;
import io.webproxy.spi.Engines;
import io.webproxy.spi.IpLiteral;
import io.webproxy.spi.Listen;
import io.webproxy.spi.ProxyEngine;
import io.webproxy.spi.ServedRoutes;
import io.webproxy.spi.ServerObserver;
import io.webproxy.tunnel.Announcement;
import io.webproxy.tunnel.Tunnel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running server that exposes upstreams on its endpoints.
 *
 * <p>Thread-safe. Servers in one JVM share nothing; the library sets no global property, registers no security provider
 * and installs no shutdown hook unless {@link ProxyConfig.Builder#closeOnShutdown} asks for one.
 */
public final class ProxyServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.server");

    private final ProxyEngine.Running running;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final ShutdownHook hook = new ShutdownHook(this::close);
    private volatile Open open;

    /** The current configuration, and its endpoints in the same order. */
    private record Open(ProxyConfig config, List<Endpoint> endpoints) {
        /** The endpoint to open. */
        int chosen() {
            List<Integer> open = IntStream.range(
                            0, Math.min(endpoints.size(), config.listens().size()))
                    .boxed()
                    .filter(i -> !config.listens().get(i).isStatusPage())
                    .toList();
            return open.stream()
                    .filter(i -> scheme(i).equals("https"))
                    .findFirst()
                    .orElse(open.isEmpty() ? 0 : open.get(0));
        }

        /** Whether no endpoint is for more than the status page, and clients come through tunnels. */
        boolean isTunnelled() {
            return !config.tunnels().isEmpty() && config.listens().stream().allMatch(Listen::isStatusPage);
        }

        /** The URI scheme for the routes at an endpoint; its protocol's if it serves none. */
        String scheme(int index) {
            Listen listen = config.listens().get(index);
            boolean https = listen.protocol() == Listen.Protocol.HTTPS
                    || listen.rules()
                            .filter(rules -> rules.hasHttps()
                                    || (rules.hasTls() && !config.routes().isEmpty()))
                            .isPresent();
            boolean http = listen.isCleartext() || listen.protocol() == Listen.Protocol.HTTP;
            return https ? "https" : http ? "http" : "tcp";
        }
    }

    private ProxyServer(ProxyEngine.Running running, ProxyConfig config) {
        this.running = running;
        this.open = new Open(config, running.status().endpoints());
    }

    /** An empty configuration to fill. */
    public static ProxyConfig.Builder builder() {
        return new ProxyConfig.Builder();
    }

    static ProxyServer start(ProxyConfig config) {
        return start(config, Engines.find());
    }

    static ProxyServer start(ProxyConfig config, ProxyEngine engine) {
        ProxyEngine.Running running = engine.start(config);
        try {
            ProxyServer server = new ProxyServer(running, config);
            var unused = running.failure().thenRun(server.closed::countDown);
            server.tell(config);
            server.hook.set(config.closeOnShutdown());
            return server;
        } catch (Throwable e) {
            var unused = running.drain(Duration.ZERO);
            throw e;
        }
    }

    /**
     * The address to open: that of the first endpoint that speaks HTTPS for the routes, else of the first one, which
     * may speak {@code http} or, with rules for other protocols only, {@code tcp}. An endpoint that only shows the
     * status page is left out, unless there is nothing else; a tunnel's first announcement comes before it. The host is
     * the one that the endpoint is bound to, {@code localhost} when it is bound to all or to the loopback address. For
     * a closed server it is the last address.
     */
    public URI uri() {
        Open now = open;
        if (now.endpoints.isEmpty() || now.isTunnelled()) {
            return announced(now.config);
        }
        int chosen = now.chosen();
        InetSocketAddress bound = now.endpoints.get(chosen).address();
        InetAddress address = bound.getAddress();
        String host =
                address.isAnyLocalAddress() || address.isLoopbackAddress() ? "localhost" : IpLiteral.text(address);
        String scheme = now.scheme(chosen);
        return URI.create(scheme + "://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + bound.getPort()
                + (scheme.equals("tcp") ? "" : "/"));
    }

    /** For a server whose routes are reached through tunnels only: its first announcement. */
    private static URI announced(ProxyConfig config) {
        Tunnel tunnel = config.tunnels().get(0);
        Announcement first = tunnel.announcements().get(0);
        String host = tunnel.servers().get(0).getHostString();
        return URI.create(
                first.port() == 0
                        ? "https://" + first.what().replace("*.", "") + "/"
                        : "tcp://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + first.port());
    }

    /** Where the server listens, in the order of configuration, with real ports; empty once it is closed. */
    public List<Endpoint> endpoints() {
        return running.status().endpoints();
    }

    /**
     * True from the start of the server, also while it drains, until everything is released and {@link #awaitClose()}
     * returns.
     */
    public boolean isRunning() {
        return closed.getCount() > 0;
    }

    /** The current status; without content once the server is closed. */
    public ProxyStatus status() {
        return running.status();
    }

    /** The configuration in force. */
    public ProxyConfig config() {
        return open.config();
    }

    /**
     * Changes routes, endpoints, certificates, credentials, timeouts or limits of the running server, all or nothing: a
     * request sees the old or the new configuration. A route with the name of an existing one replaces it.
     *
     * @param change receives a builder that holds the configuration in force, see {@link ProxyConfig#toBuilder}
     * @return the new configuration in force
     * @throws ProxyConfigException if the new configuration is wrong; the old one stays
     * @throws ProxyStartException if it can't be put in force, the old one stays; or if the server is closed, or about
     *     to be
     */
    public synchronized ProxyConfig update(Consumer<ProxyConfig.Builder> change) {
        ProxyConfig.Builder builder = open.config().toBuilder();
        Objects.requireNonNull(change, "change").accept(builder);
        return update(builder.build());
    }

    /**
     * Replaces the whole configuration, all or nothing. The new one may come from any builder: what it lacks is
     * removed, what it adds is started, and what both have in common continues.
     *
     * <ul>
     *   <li>Routes are the same by name: their exchanges continue, those of removed routes for the drain time.
     *   <li>Upstream groups are the same as {@link io.webproxy.route.UpstreamGroup} says.
     *   <li>Endpoints are the same by protocol, address and port. Those of port 0 are the same by name; without one the
     *       one with equal settings stays, and the others by their order among those of a protocol and address, each at
     *       the port that it has. An endpoint of another protocol or address can have the port only by a later update.
     *   <li>Authenticators, observers and certificate providers are the same if they are the same object; otherwise the
     *       old one is stopped and the new one started.
     * </ul>
     *
     * @return the configuration in force, the argument
     * @throws ProxyStartException if it can't be put in force, for example because {@code bind}, {@code jdkTls} or the
     *     threads of {@link Tuning} differ, which only a start sets; the old one stays; or if the server is closed, or
     *     about to be
     */
    public synchronized ProxyConfig update(ProxyConfig next) {
        running.update(Objects.requireNonNull(next, "config"));
        List<Endpoint> bound = running.status().endpoints();
        // empty if it was closed meanwhile
        open = new Open(next, bound.isEmpty() ? open.endpoints() : bound);
        hook.set(next.closeOnShutdown());
        tell(next);
        return next;
    }

    /** Shows itself to the observers that read the status. */
    private void tell(ProxyConfig config) {
        for (ProxyObserver observer : config.observers()) {
            if (observer instanceof ServerObserver reader) {
                try {
                    reader.servesRoutes(new ServedRoutes(config.routes()));
                    reader.serves(running);
                } catch (RuntimeException e) {
                    LOG.warn(
                            "Observer {} failed; the server is not affected",
                            observer.getClass().getName(),
                            e);
                }
            }
        }
    }

    /**
     * Stops accepting, lets exchanges end, then cuts what is left. Doesn't block.
     *
     * @param limit how long exchanges may go on; zero cuts at once
     * @return completes when everything is released
     */
    public CompletionStage<Void> drain(Duration limit) {
        if (Objects.requireNonNull(limit, "limit").isNegative() || limit.compareTo(Duration.ofDays(365)) > 0) {
            throw new IllegalArgumentException("drain: " + limit + " (expected: zero to 365 days)");
        }
        return running.drain(limit).whenComplete((done, failure) -> {
            try {
                hook.remove();
            } finally {
                closed.countDown();
            }
        });
    }

    /**
     * Drains for as long as configured (30 s by default), then cuts; blocks until everything is released. Idempotent.
     */
    @Override
    public void close() {
        CompletableFuture<Void> released = drain(config().drainTime()).toCompletableFuture();
        boolean interrupted = false;
        while (!released.isDone()) {
            try {
                released.get(1, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                interrupted = true;
                drain(Duration.ZERO);
            } catch (java.util.concurrent.TimeoutException | java.util.concurrent.ExecutionException e) {
                // check again: a drain ends by itself
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Blocks until the server is closed by another thread, or until it can't serve any more: then
     * {@link ProxyStatus#failure()} says why; close it and start another one, in another JVM if memory has run out.
     */
    public void awaitClose() throws InterruptedException {
        closed.await();
    }
}
