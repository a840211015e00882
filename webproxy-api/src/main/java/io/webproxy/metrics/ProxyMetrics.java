package io.webproxy.metrics;

import io.micrometer.core.instrument.MeterRegistry;
import io.webproxy.observe.CertificateEvent;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.RelayRecord;
import io.webproxy.observe.TunnelEvent;
import io.webproxy.route.Route;
import io.webproxy.spi.ExchangeData;
import io.webproxy.spi.ProxyEngine;
import io.webproxy.spi.ServedRoutes;
import io.webproxy.spi.ServerObserver;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * The metrics of one server in a Micrometer registry: an observer to give to {@code ProxyServer.builder()}. Its meters
 * are called {@code webproxy.…} and have a tag {@code server}; the module's README lists them.
 *
 * <p>No tag has a value of a request but the method, the status and the protocol, each one of a fixed set, and there is
 * a limit to how many sets of tags there are: what comes later is counted with tags of the value {@code other}.
 *
 * <p>Thread-safe. It may outlive its server, and count for the next one; a closed server is released when the meters
 * are read. An update that takes it out of the configuration doesn't tell it: it shows the status of that server until
 * that is closed.
 */
@SuppressWarnings("exports") // Micrometer is optional
public final class ProxyMetrics implements ServerObserver, AutoCloseable {
    private static final String DEFAULT_NAME = "webproxy";

    private final MeterSet meters;
    private final ExchangeMeters exchanges;
    private final EventMeters events;
    private final StatusMeters status;

    private ProxyMetrics(MeterSet meters) {
        this.meters = meters;
        this.events = new EventMeters(meters);
        this.status = new StatusMeters(meters, System::nanoTime, this::letGo);
        this.exchanges = new ExchangeMeters(meters, status::show);
    }

    /**
     * Registers the meters of the only server in a registry, under the name {@code webproxy}.
     *
     * @throws IllegalArgumentException if the registry has meters of that name already
     */
    public static ProxyMetrics bind(MeterRegistry registry) {
        return bind(registry, DEFAULT_NAME);
    }

    /**
     * Registers the meters of a server.
     *
     * @param server the value of the tag {@code server}, different for each server in the registry
     * @throws IllegalArgumentException if it is blank, or if the registry has meters of that name already
     */
    public static ProxyMetrics bind(MeterRegistry registry, String server) {
        Objects.requireNonNull(registry, "registry");
        if (Objects.requireNonNull(server, "server").isBlank()) {
            throw new IllegalArgumentException("server: " + server + " (expected: a name)");
        }
        return new ProxyMetrics(MeterSet.of(registry, server));
    }

    /** Called by the server. */
    @Override
    public void serves(ProxyEngine.Running server) {
        status.read(server::status);
    }

    /** Called by the server. */
    @Override
    public void servesRoutes(ServedRoutes routes) {
        Groups groups = Groups.of(routes.all());
        status.configured(groups);
        exchanges.configured(groups);
        exchanges.retainRoutes(routes.all().stream().map(Route::name).collect(Collectors.toUnmodifiableSet()));
    }

    /** Makes room for new names, where there is none. */
    private void letGo(StatusView view) {
        exchanges.retainUpstreams(view.upstreams());
        events.retainRules(view.rules().keySet(), view.ports());
    }

    /** Called by the server. */
    @Override
    public void exchangeEnded(ExchangeRecord exchange) {
        exchanges.count((ExchangeData) exchange);
    }

    /** Called by the server. */
    @Override
    public void certificateObtained(CertificateEvent event) {
        events.certificate("obtained");
    }

    /** Called by the server. */
    @Override
    public void certificateRenewed(CertificateEvent event) {
        events.certificate("renewed");
    }

    /** Called by the server. */
    @Override
    public void certificateReloaded(CertificateEvent event) {
        events.certificate("reloaded");
    }

    /** Called by the server. */
    @Override
    public void certificateFailed(CertificateEvent event) {
        events.certificate("failed");
    }

    /** Called by the server. */
    @Override
    public void certificateExpiring(CertificateEvent event) {
        events.certificate("expiring");
    }

    /** Called by the server. */
    @Override
    public void certificateRevoked(CertificateEvent event) {
        events.certificate("revoked");
    }

    /** Called by the server. */
    @Override
    public void relayEnded(RelayRecord relay) {
        events.count(relay);
    }

    /** Called by the server. */
    @Override
    public void tunnelAgentConnected(TunnelEvent event) {
        events.tunnel("agent-connected");
    }

    /** Called by the server. */
    @Override
    public void tunnelAgentDisconnected(TunnelEvent event) {
        events.tunnel("agent-disconnected");
    }

    /** Called by the server. */
    @Override
    public void tunnelAgentLost(TunnelEvent event) {
        events.tunnel("agent-lost");
    }

    /** Called by the server. */
    @Override
    public void tunnelAgentRefused(TunnelEvent event) {
        events.tunnel("agent-refused");
    }

    /** Called by the server. */
    @Override
    public void tunnelAnnounced(TunnelEvent event) {
        events.tunnel("announced");
    }

    /** Called by the server. */
    @Override
    public void tunnelAnnouncementRefused(TunnelEvent event) {
        events.tunnel("announcement-refused");
    }

    /** Called by the server. */
    @Override
    public void tunnelServerConnected(TunnelEvent event) {
        events.tunnel("server-connected");
    }

    /** Called by the server. */
    @Override
    public void tunnelServerDisconnected(TunnelEvent event) {
        events.tunnel("server-disconnected");
    }

    /** Called by the server. */
    @Override
    public void tunnelServerLost(TunnelEvent event) {
        events.tunnel("server-lost");
    }

    /**
     * Removes the meters from the registry, and counts nothing from then on; other servers' meters stay. Idempotent.
     * The server needn't be closed.
     */
    @Override
    public void close() {
        meters.close();
    }
}
