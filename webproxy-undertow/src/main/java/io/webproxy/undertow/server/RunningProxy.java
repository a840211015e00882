package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyStartException;
import io.webproxy.ProxyStatus;
import io.webproxy.port.Endpoint;
import io.webproxy.spi.Listen;
import io.webproxy.spi.ProxyEngine;
import io.webproxy.spi.StatusData;
import io.webproxy.undertow.deadline.CloseSteps;
import io.webproxy.undertow.tls.ServerTls;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running server: start, updates, drain, release. Thread-safe. */
public final class RunningProxy implements ProxyEngine.Running {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.server");

    private final ServerParts parts;
    private final Drain drain;
    private volatile boolean draining;
    private final CompletableFuture<Void> released = new CompletableFuture<>();

    private RunningProxy(ProxyConfig config, IoThreads threads, LongSupplier nanoClock, Duration rest) {
        this.parts = new ServerParts(config, threads, nanoClock, this::status);
        this.drain = new Drain(
                parts.exchanges,
                parts.relays,
                parts.tunnels,
                parts.connections,
                parts.listeners::close,
                this::release,
                rest);
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
        IoThreads threads = new IoThreads(config);
        RunningProxy proxy;
        try {
            proxy = new RunningProxy(config, threads, nanoClock, rest);
        } catch (Throwable e) {
            threads.end();
            throw e;
        }
        proxy.begin(config);
        return proxy;
    }

    /** A start is a change from nothing. If it fails, everything is closed when the exception is thrown. */
    private void begin(ProxyConfig config) {
        try {
            Throwable thrown = parts.transaction.apply(config);
            if (thrown != null) {
                throw new ProxyStartException("The server can't be started: " + thrown + ".", thrown);
            }
        } catch (Throwable e) {
            new CloseSteps()
                    .step("endpoints", parts.listeners::close)
                    .step("tunnels", parts.tunnels::leave)
                    .report();
            release();
            throw e;
        }
    }

    @Override
    public void update(ProxyConfig config) {
        Throwable thrown = parts.transaction.apply(config);
        if (thrown != null) {
            LOG.error(
                    "The new configuration is in force, but something of it failed that can't be taken back: update"
                            + " again, or start another server",
                    thrown);
        }
    }

    @Override
    public ProxyStatus status() {
        if (released.isDone()) {
            return StatusData.CLOSED;
        }
        int tunnels = parts.exchanges.tunnels();
        List<String> ruled = ruled();
        Map<String, List<String>> rules = parts.listeners.ruleNames();
        ServerTls serving = parts.endsTls() ? parts.tls.get() : null;
        return new StatusData(
                parts.listeners.endpoints(),
                serving == null ? "" : serving.providerName(),
                parts.connections.count(),
                parts.connections.refused(),
                parts.connections.failures(),
                Math.max(0, parts.exchanges.running() - tunnels),
                tunnels,
                parts.upstreams.status(),
                ruled.stream()
                        .flatMap(name -> parts.relays.rules(name, rules.getOrDefault(name, List.of())).stream())
                        .toList(),
                ruled.stream().collect(Collectors.toMap(name -> name, parts.relays::undetected)),
                parts.tunnels.status(),
                serving == null ? List.of() : serving.status(),
                Optional.ofNullable(parts.threads.failure()),
                draining,
                parts.connections.counters());
    }

    /**
     * The names of the endpoints with rules, in order, each once: two at one port of two addresses may share theirs.
     */
    private List<String> ruled() {
        return parts.listeners.endpoints().stream()
                .filter(endpoint -> endpoint.protocol().equals(Listen.Protocol.RULES.toString()))
                .map(Endpoint::name)
                .distinct()
                .toList();
    }

    @Override
    public CompletionStage<String> failure() {
        return parts.threads.whenFailed();
    }

    @Override
    public CompletionStage<Void> drain(Duration limit) {
        draining = true;
        parts.transaction.close();
        parts.statusPages.close();
        drain.start(limit);
        return released.copy();
    }

    private void release() {
        parts.release();
        released.complete(null);
    }
}
