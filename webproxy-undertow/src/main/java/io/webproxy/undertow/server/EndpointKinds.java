package io.webproxy.undertow.server;

import io.webproxy.http.ProxyProtocol;
import io.webproxy.port.Endpoint;
import io.webproxy.port.PortBuilder;
import io.webproxy.route.Route;
import io.webproxy.spi.EndpointSettings;
import io.webproxy.spi.Listen;
import io.webproxy.spi.PortRules;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.undertow.endpoint.ClientConnection;
import io.webproxy.undertow.endpoint.PortTimes;
import io.webproxy.undertow.endpoint.PortTools;
import io.webproxy.undertow.endpoint.ProxyGreeting;
import io.webproxy.undertow.endpoint.RulePort;
import io.webproxy.undertow.pipeline.Settings;
import io.webproxy.undertow.relay.Relays;
import io.webproxy.undertow.status.StatusPages;
import io.webproxy.undertow.tls.TlsAcceptor;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Assembles the handlers for the connections of an endpoint, from its own configuration and the server's. Thread-safe.
 */
final class EndpointKinds {
    /** An HTTPS endpoint is one with these rules. */
    private static final PortRules HTTPS =
            new PortBuilder().https().redirectHttp().build();

    private static final PortRules TUNNELLED = new PortBuilder().https().build();

    private final HttpEndpoints http;
    private final PortTools tools;
    private final Relays relays;
    private final Supplier<ServerSettings> settings;
    private final Function<Supplier<Settings>, HttpEndpoints.Handlers> handlers;
    private final Function<Optional<ClientCertificates>, TlsAcceptor> tls;
    private volatile @Nullable RulePort tunnelled;

    /**
     * For the endpoints of a server.
     *
     * @param settings the settings of the server
     * @param handlers makes handlers for settings
     * @param tls makes the TLS side of an endpoint, with its own rules for client certificates or the server's
     */
    EndpointKinds(
            HttpEndpoints http,
            PortTools tools,
            Relays relays,
            Supplier<ServerSettings> settings,
            Function<Supplier<Settings>, HttpEndpoints.Handlers> handlers,
            Function<Optional<ClientCertificates>, TlsAcceptor> tls) {
        this.http = http;
        this.tools = tools;
        this.relays = relays;
        this.settings = settings;
        this.handlers = handlers;
        this.tls = tls;
    }

    /** The port rules of an endpoint; empty if it speaks cleartext HTTP and nothing else. */
    static Optional<PortRules> rules(Listen listen) {
        return listen.protocol() == Listen.Protocol.HTTPS ? Optional.of(HTTPS) : listen.rules();
    }

    /** The handler of an endpoint's connections from now on. */
    Consumer<ClientConnection> of(Listen listen, Endpoint endpoint) {
        HttpEndpoints.Handlers own = handlers.apply(settingsOf(listen.settings()));
        return greeted(
                listen,
                endpoint,
                switch (listen.protocol()) {
                    case HTTP -> http.clear(own.clear());
                    case REDIRECT -> http.clear(own.toHttps());
                    case HTTPS ->
                        new RulePort(
                                tools,
                                endpoint.name(),
                                HTTPS,
                                this::headTimes,
                                front(listen),
                                http.protocols(own),
                                (client, after, why) -> {});
                    case RULES -> ruled(listen, endpoint, own);
                });
    }

    /** The handler of connections that came through a tunnel and whose TLS is terminated here. */
    Consumer<ClientConnection> tunnelled() {
        RulePort known = tunnelled;
        if (known == null) {
            known = new RulePort(
                    tools,
                    "tunnel",
                    TUNNELLED,
                    this::headTimes,
                    tls.apply(Optional.empty()),
                    http.protocols(handlers.apply(this::ofRequests)),
                    (client, after, why) -> {});
            tunnelled = known;
        }
        return known;
    }

    private PortTimes headTimes() {
        return PortTimes.within(ofRequests().limits().headTime());
    }

    private Settings ofRequests() {
        return settings.get().http();
    }

    private RulePort ruled(Listen listen, Endpoint endpoint, HttpEndpoints.Handlers own) {
        PortRules rules = listen.rules().orElseThrow();
        PortTimes times = PortTimes.ofRules(rules.detectTime());
        return new RulePort(
                tools, endpoint.name(), rules, () -> times, front(listen), http.protocols(own), undetected(endpoint));
    }

    private RulePort.Undetected undetected(Endpoint endpoint) {
        return (client, after, why) -> relays.undetected(endpoint.name(), client, after, why);
    }

    private @Nullable TlsAcceptor front(Listen listen) {
        return listen.isTls() ? tls.apply(listen.settings().clientCertificates()) : null;
    }

    /** Reads the PROXY header first. */
    private Consumer<ClientConnection> greeted(Listen listen, Endpoint endpoint, Consumer<ClientConnection> next) {
        Optional<ProxyProtocol> own = listen.settings().proxyProtocol();
        Optional<Duration> silent = listen.rules().map(PortRules::detectTime);
        RulePort.Undetected undetected =
                listen.protocol() == Listen.Protocol.RULES ? undetected(endpoint) : (client, after, why) -> {};
        return client -> {
            ProxyGreeting.Policy policy = settings.get().proxyProtocol();
            ProxyProtocol mode = own.orElse(policy.mode());
            ProxyGreeting.Policy ofEndpoint = silent.map(
                            time -> new ProxyGreeting.Policy(mode, policy.trusted(), time.toNanos()))
                    .orElseGet(() -> new ProxyGreeting.Policy(mode, policy.trusted()));
            ProxyGreeting.read(client, ofEndpoint, tools, next, undetected);
        };
    }

    private Supplier<Settings> settingsOf(EndpointSettings own) {
        return own.clientCertificates().isEmpty() && own.statusPage().isEmpty()
                ? this::ofRequests
                : new OwnSettings(this::ofRequests, own);
    }

    /** The server's settings with those of one endpoint; made again only when the server's have changed. */
    private static final class OwnSettings implements Supplier<Settings> {
        private final Supplier<Settings> ofServer;
        private final EndpointSettings of;
        private volatile Made last;

        private record Made(Settings from, Settings own) {}

        OwnSettings(Supplier<Settings> ofServer, EndpointSettings of) {
            this.ofServer = ofServer;
            this.of = of;
            this.last = make(ofServer.get());
        }

        private Made make(Settings from) {
            Settings own =
                    of.clientCertificates().map(from::withClientCertificates).orElse(from);
            return new Made(
                    from,
                    of.statusPage()
                            .map(page -> own.withOnly(Route.builder()
                                    .name(StatusPages.ROUTE)
                                    .answer(page)
                                    .build()))
                            .orElse(own));
        }

        @Override
        @SuppressWarnings("ReferenceEquality") // the same snapshot, not one like it
        public Settings get() {
            Settings now = ofServer.get();
            Made made = last;
            if (made.from() != now) {
                made = make(now);
                last = made;
            }
            return made.own();
        }
    }
}
