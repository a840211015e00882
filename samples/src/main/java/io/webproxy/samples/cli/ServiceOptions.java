package io.webproxy.samples.cli;

import io.webproxy.ProxyConfig;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options for the default service. */
final class ServiceOptions {
    @Option(
            names = "--internal-port",
            paramLabel = "PORT",
            converter = Numbers.ServicePort.class,
            description = "The port of the service on 127.0.0.1; with routes it may be left out, and what none of them"
                    + " matches gets 404.")
    private @Nullable Integer internalPort;

    @Option(
            names = "--to",
            paramLabel = "URL",
            description = "The service's URL in place of --internal-port, http://host:port or https://host:port,"
                    + " h2c://host:port for HTTP/2 in cleartext, https+h2://host:port for HTTP/2 where the service"
                    + " chooses it; may be repeated: several take turns.")
    private List<String> to = new ArrayList<>();

    @Option(
            names = "--host-header",
            paramLabel = "HOST",
            description = "What Host says to the service: client (as it came), upstream (the host and port of its URL),"
                    + " or a host of your choice; default: client.")
    private @Nullable String hostHeader;

    @Option(
            names = "--allow-upgrade",
            paramLabel = "PROTOCOL",
            description = "A protocol that requests to the service may switch their connection to, such as tcp for"
                    + " Docker's attach and exec, or SPDY/3.1; may be repeated. WebSockets need no permission.")
    private List<String> upgrades = new ArrayList<>();

    @Option(
            names = "--send-user",
            paramLabel = "FIELD",
            description = "The header field in which services get the user who has passed --user or --htpasswd, such as"
                    + " X-Forwarded-User or Remote-User; clients can't send it. Default: none.")
    private @Nullable String sendUser;

    @Option(
            names = "--lenient-responses",
            description = "The service's HTTP/1.1 is faulty, as that of small devices and old servers: what can be put"
                    + " right of its responses is, and is no 502. Not for a service that repeats in header fields what"
                    + " clients send.")
    private boolean lenient;

    @Mixin
    private SeveralOptions several = new SeveralOptions();

    @Mixin
    private RouteOptions routes = new RouteOptions();

    /** Whether there is any upstream. */
    boolean isGiven() {
        return internalPort != null || !to.isEmpty() || !routes.isEmpty();
    }

    void applyTo(ProxyConfig.Builder builder) {
        Consumer<Route.Builder> host = hostHeader().andThen(sendUser());
        boolean byDefault = routes.isEmpty() || internalPort != null || !to.isEmpty();
        several.check();
        routes.applyTo(builder, host, several, byDefault);
        if (byDefault) {
            List<Upstream> upstreams = upstreams();
            builder.route(r -> {
                host.accept(r);
                several.forward(r, upstreams);
                upgrades.forEach(protocol -> allow(r, protocol));
            });
        } else if (!upgrades.isEmpty() || lenient) {
            throw Complaint.wrong(
                    lenient ? "--lenient-responses" : "--allow-upgrade",
                    "given with routes alone",
                    "--internal-port PORT or --to URL with it");
        }
    }

    private static void allow(Route.Builder route, String protocol) {
        try {
            route.allowUpgrade(protocol);
        } catch (IllegalArgumentException e) {
            throw Complaint.wrong(
                    "--allow-upgrade",
                    protocol,
                    "one protocol, such as tcp or SPDY/3.1, but not h2c, HTTP, TLS or websocket");
        }
    }

    private Consumer<Route.Builder> hostHeader() {
        String value = hostHeader == null ? "client" : hostHeader;
        return switch (value.toLowerCase(Locale.ROOT)) {
            case "client" -> Route.Builder::hostHeaderOfClient;
            case "upstream" -> Route.Builder::hostHeaderOfUpstream;
            default -> {
                try {
                    Route.builder().hostHeader(value);
                } catch (IllegalArgumentException e) {
                    throw Complaint.wrong("--host-header", value, "client, upstream, host or host:port");
                }
                yield route -> route.hostHeader(value);
            }
        };
    }

    private Consumer<Route.Builder> sendUser() {
        String field = sendUser;
        if (field == null) {
            return route -> {};
        }
        Complaint.of("--send-user", () -> Route.builder().sendUser(field));
        return route -> route.sendUser(field);
    }

    private List<Upstream> upstreams() {
        if (internalPort == null ? to.isEmpty() : !to.isEmpty()) {
            throw new IllegalArgumentException(
                    internalPort == null
                            ? "--internal-port: missing (expected: --internal-port PORT, --to URL, or a --route)"
                            : "--internal-port: given with --to (expected: only one of them)");
        }
        List<String> urls = internalPort == null ? to : List.of("http://127.0.0.1:" + internalPort);
        urls.forEach(url -> RouteOptions.checkUrl("--to", url));
        return urls.stream()
                .map(Upstream::of)
                .map(each -> lenient ? each.lenientResponses() : each)
                .toList();
    }
}
