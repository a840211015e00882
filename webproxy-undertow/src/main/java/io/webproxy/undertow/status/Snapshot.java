package io.webproxy.undertow.status;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyStatus;
import io.webproxy.observe.RelayEnd;
import io.webproxy.port.Endpoint;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.spi.IpLiteral;
import io.webproxy.spi.Listen;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.tls.CertificateStatus;
import io.webproxy.tunnel.TunnelStatus;
import io.webproxy.undertow.exchange.Flights;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A server's status as JSON, of the version that the configuration reference describes: nothing of requests but what
 * failed, by names of the configuration. Lists are cut at {@link #MOST}.
 *
 * @param now of the monotonic clock, in nanoseconds
 * @param uptime in nanoseconds
 * @param flights null if an IO thread is held up
 */
record Snapshot(
        ProxyConfig config,
        ProxyStatus status,
        History history,
        @Nullable Flights flights,
        long now,
        long uptime,
        int viewers) {
    /** Changes when a member goes, or means something else. */
    static final int VERSION = 1;
    /** How many elements a list has. */
    static final int MOST = 200;

    private static final int MOST_NAMES = 20;
    /** A certificate that ends sooner, and isn't about to be renewed, needs somebody. */
    private static final Duration SOON = Duration.ofDays(14);

    String json() {
        Json json = new Json();
        json.object(() -> {
            json.number("version", VERSION);
            json.text("time", Instant.now().toString());
            json.seconds("uptime", uptime);
            json.text("state", !status.isHealthy() ? "failed" : status.isDraining() ? "draining" : "serving");
            json.text("failure", status.failure());
            json.text("tlsProvider", status.tlsProvider().isEmpty() ? null : status.tlsProvider());
            json.number("viewers", viewers);
            endpoints(json);
            json.list("certificates", status.certificates(), MOST, Snapshot::certificate);
            routes(json);
            groups(json);
            exchanges(json);
            connections(json);
            throughput(json);
            json.list("failures", history.failures(), MOST, Snapshot::failure);
            json.list("rules", status.rules(), MOST, Snapshot::rule);
            json.list("undetected", status.undetected().entrySet(), MOST, Snapshot::undetected);
            tunnels(json, status.tunnelStatus());
        });
        return json.toString();
    }

    // --- endpoints and certificates ---

    private record Shown(Endpoint endpoint, @Nullable Listen listen) {}

    private void endpoints(Json json) {
        List<Endpoint> endpoints = status.endpoints();
        List<Listen> listens = config.listens();
        List<Shown> shown = new ArrayList<>();
        for (int i = 0; i < endpoints.size(); i++) {
            shown.add(new Shown(endpoints.get(i), endpoints.size() == listens.size() ? listens.get(i) : null));
        }
        json.list("endpoints", shown, MOST, (out, one) -> {
            Listen listen = one.listen();
            Endpoint endpoint = one.endpoint();
            out.text("name", endpoint.name());
            out.text("protocol", endpoint.protocol());
            out.text("uri", uri(endpoint));
            out.bool("padlock", listen == null ? endpoint.protocol().equals("https") : listen.isTls());
            out.text("serves", serves(endpoint, listen));
        });
    }

    private static String uri(Endpoint endpoint) {
        InetSocketAddress bound = endpoint.address();
        String host = bound.getAddress().isAnyLocalAddress() ? "*" : IpLiteral.text(bound.getAddress());
        String scheme = switch (endpoint.protocol()) {
            case "https" -> "https";
            case "rules" -> "tcp";
            default -> "http";
        };
        return scheme + "://" + (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + bound.getPort();
    }

    private static String serves(Endpoint endpoint, @Nullable Listen listen) {
        if (listen != null && listen.isStatusPage()) {
            return "status";
        }
        return switch (endpoint.protocol()) {
            case "redirect", "rules" -> endpoint.protocol();
            default -> "routes";
        };
    }

    private static void certificate(Json out, CertificateStatus certificate) {
        out.texts("names", certificate.names(), MOST_NAMES);
        out.number("namesTotal", certificate.names().size());
        out.text("issuer", certificate.issuer());
        out.time("notAfter", certificate.notAfter());
        Instant now = Instant.now();
        certificate
                .notAfter()
                .ifPresentOrElse(
                        end -> out.number(
                                "secondsLeft", Duration.between(now, end).toSeconds()),
                        () -> out.nothing("secondsLeft"));
        out.time("nextAttempt", certificate.nextAttempt());
        out.text("lastError", certificate.lastError().map(Failure::sentence));
        out.text("state", state(certificate, now));
    }

    private static String state(CertificateStatus certificate, Instant now) {
        Instant end = certificate.notAfter().orElse(null);
        if (end == null) {
            return "missing";
        }
        if (end.isBefore(now)) {
            return "expired";
        }
        boolean renewed = certificate.lastError().isEmpty()
                && certificate.nextAttempt().filter(end::isAfter).isPresent();
        return Duration.between(now, end).compareTo(SOON) < 0 && !renewed ? "expiring" : "valid";
    }

    // --- routes and upstreams ---

    private void routes(Json json) {
        json.number("routesTotal", config.routes().size());
        json.list("routes", config.routes(), MOST, (out, route) -> {
            out.text("name", route.name());
            out.text("host", route.host().isAny() ? null : route.host().toString());
            out.text("path", route.path().toString());
            out.text("kind", kind(route));
            out.text("target", target(route));
        });
    }

    private static String kind(Route route) {
        return route.upstreamGroup().isPresent()
                ? "forward"
                : route.redirect().isPresent() ? "redirect" : route.statusPage().isPresent() ? "status" : "answer";
    }

    private static @Nullable String target(Route route) {
        return route.upstreamGroup().map(Snapshot::nameOf).or(route::redirect).orElse(null);
    }

    private static String nameOf(UpstreamGroup group) {
        return group.name()
                .orElseGet(() -> group.upstreams().stream()
                        .limit(MOST_NAMES)
                        .map(Upstream::toString)
                        .collect(Collectors.joining(", ")));
    }

    /** By name: routes without a group of their own share one. */
    private void groups(Json json) {
        Map<String, UpstreamGroup> groups = new LinkedHashMap<>();
        for (Route route : config.routes()) {
            route.upstreamGroup().ifPresent(group -> groups.putIfAbsent(nameOf(group), group));
        }
        json.number("groupsTotal", groups.size());
        json.list("groups", groups.entrySet(), MOST, (out, group) -> {
            out.text("name", group.getKey());
            out.bool("checked", group.getValue().healthCheck().isPresent());
            out.list("upstreams", group.getValue().upstreams(), MOST, this::upstream);
        });
    }

    private void upstream(Json out, Upstream upstream) {
        ProxyStatus.Pool pool = status.upstreams().get(upstream.toString());
        History.OfUpstream known = history.upstream(upstream.toString());
        out.text("upstream", upstream.toString());
        // without a pool nothing was asked of it yet, and no check of its health has made one
        out.text("state", pool == null ? "up" : !pool.healthy() ? "down" : pool.ejected() ? "ejected" : "up");
        out.number("open", pool == null ? 0 : pool.open());
        out.number("idle", pool == null ? 0 : pool.idle());
        out.number("waiting", pool == null ? 0 : pool.waiting());
        out.number("responses", known == null ? 0 : known.answers(now));
        out.number("failures", known == null ? 0 : known.failures(now));
        out.numbers("latency", known == null ? new long[0] : known.latency(now));
    }

    // --- counts ---

    private void exchanges(Json json) {
        json.object("exchanges", () -> {
            json.number(
                    "running",
                    flights == null
                            ? -1
                            : flights.classes().values().stream()
                                    .mapToLong(Flights.OfClass::count)
                                    .sum());
            json.number("tunnels", status.tunnels());
            List<TimeoutClass> all = flights == null ? List.of() : List.of(TimeoutClass.values());
            json.list("classes", all, MOST, (out, timeoutClass) -> {
                Flights.OfClass of = flights == null ? null : flights.classes().get(timeoutClass);
                out.text("class", timeoutClass.name());
                out.number("running", of == null ? 0 : of.count());
                out.seconds("longestSilence", of == null ? 0 : of.longestSilence());
            });
        });
    }

    private void connections(Json json) {
        json.object("connections", () -> {
            json.number("open", status.connections());
            json.number("lingering", status.lingering());
            json.number("refused", status.refused());
            json.counts("refusedBy", status.refusals());
            json.number("failed", status.failed());
            json.counts("handshakes", status.handshakes());
            json.counts("resumedHandshakes", status.resumedHandshakes());
            json.number("failedHandshakes", status.failedHandshakes());
            json.number("descriptors", status.descriptors());
            json.number("descriptorLimit", status.descriptorLimit());
            json.number("descriptorReserve", status.descriptorReserve());
        });
    }

    private void throughput(Json json) {
        json.object("throughput", () -> {
            json.seconds("slot", History.SLOT_NANOS);
            json.numbers("requests", history.throughput(0, now));
            json.numbers("failures", history.throughput(1, now));
            json.numbers("bytesIn", history.throughput(2, now));
            json.numbers("bytesOut", history.throughput(3, now));
            json.seconds("latencySlot", History.LATENCY_SLOT_NANOS);
        });
    }

    private static void failure(Json out, Failure failure) {
        out.text("time", failure.time().toString());
        out.text("leg", failure.leg().name());
        out.text("error", failure.error());
        out.text("reason", failure.reason());
        out.text("method", failure.method());
        if (failure.status() == 0) {
            out.nothing("status");
        } else {
            out.number("status", failure.status());
        }
        out.text("route", failure.route());
        out.text("upstream", failure.upstream());
        if (failure.nanos() < 0) {
            out.nothing("duration");
        } else {
            out.seconds("duration", failure.nanos());
        }
    }

    // --- port rules and tunnels ---

    private static void rule(Json out, ProxyStatus.Rule rule) {
        out.text("endpoint", rule.endpoint());
        out.text("name", rule.name());
        out.number("open", rule.open());
        out.number("total", rule.total());
        out.number("refused", rule.refused());
        out.number("failed", rule.failed());
        out.texts("ejected", rule.ejected(), MOST_NAMES);
    }

    private static void undetected(Json out, Map.Entry<String, Map<RelayEnd, Long>> endpoint) {
        out.text("endpoint", endpoint.getKey());
        Map<String, Long> counts = new TreeMap<>();
        endpoint.getValue().forEach((why, count) -> counts.put(why.toString(), count));
        out.counts("connections", counts);
    }

    private static void tunnels(Json json, TunnelStatus tunnels) {
        json.object("tunnels", () -> {
            json.text("fingerprint", tunnels.fingerprint().isEmpty() ? null : tunnels.fingerprint());
            json.number("clients", tunnels.clients());
            json.number("refused", tunnels.refused());
            json.number("refusedAgents", tunnels.refusedAgents());
            json.list("agents", tunnels.agents(), MOST, (out, agent) -> {
                out.text("name", agent.name());
                out.text("address", agent.address());
                out.text("software", agent.software());
                out.bool("connected", agent.left().isEmpty());
                out.text("left", agent.left());
                out.time("since", Optional.of(agent.since()));
                out.time("lastSeen", Optional.of(agent.lastSeen()));
                out.texts("announced", agent.announced(), MOST_NAMES);
                out.number("ready", agent.ready());
                out.number("clients", agent.clients());
            });
            json.list("servers", tunnels.servers(), MOST, (out, server) -> {
                out.text("address", server.address());
                out.bool("connected", server.connected());
                out.number("attempts", server.attempts());
                out.texts("accepted", server.accepted(), MOST_NAMES);
                out.texts(
                        "refused",
                        server.refused().entrySet().stream()
                                .map(each -> each.getKey() + ": " + each.getValue())
                                .toList(),
                        MOST_NAMES);
                out.text("failure", server.failure().map(Failure::sentence));
            });
        });
    }
}
