package io.webproxy;

import io.webproxy.auth.Authenticator;
import io.webproxy.auth.BasicAuth;
import io.webproxy.http.ForwardedHeaders;
import io.webproxy.http.ProxyProtocol;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.port.EndpointBuilder;
import io.webproxy.port.PortBuilder;
import io.webproxy.route.Route;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.spi.AccessLogFormat;
import io.webproxy.spi.AddressRange;
import io.webproxy.spi.HostPattern;
import io.webproxy.spi.Hsts;
import io.webproxy.spi.Listen;
import io.webproxy.spi.RetryBudget;
import io.webproxy.spi.RouteTable;
import io.webproxy.spi.TlsProvider;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.tunnel.Tunnel;
import io.webproxy.tunnel.TunnelServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a server. Immutable and valid; made by a {@link Builder}. Secrets never show in
 * {@code toString}.
 */
@SuppressWarnings("exports") // what only the engine reads has types of io.webproxy.spi
public final class ProxyConfig {
    private final List<Listen> listens;
    private final @Nullable String bind;
    private final List<Route> routes;
    private final List<Certificates> certificates;
    private final Duration certificateReload;
    private final TlsProvider tlsProvider;
    private final ClientCertificates clientCertificates;
    private final @Nullable Authenticator authenticator;
    private final TimeoutPolicy timeouts;
    private final List<AddressRange> trustedProxies;
    private final ForwardedHeaders forwardedHeaders;
    private final ProxyProtocol proxyProtocol;
    private final Map<String, String> canonicalHosts;
    private final @Nullable Hsts hsts;
    private final @Nullable ErrorPages errorPages;
    private final RetryBudget retries;
    private final boolean closeOnShutdown;
    private final List<ProxyObserver> observers;
    private final @Nullable AccessLogFormat accessLog;
    private final boolean dropUnderscoreHeaders;
    private final Tuning tuning;
    private final Duration drainTime;
    private final List<Tunnel> tunnels;

    private ProxyConfig(Builder b) {
        this.listens = List.copyOf(b.listens);
        this.bind = b.bind;
        this.routes = List.copyOf(b.routes);
        this.certificates = List.copyOf(b.certificates);
        this.certificateReload = b.certificateReload;
        this.tlsProvider = b.tlsProvider;
        this.clientCertificates = b.clientCertificates;
        this.authenticator = b.authenticator;
        this.timeouts = b.timeouts;
        this.trustedProxies = List.copyOf(b.trustedProxies);
        this.forwardedHeaders = b.forwardedHeaders;
        this.proxyProtocol = b.proxyProtocol;
        this.canonicalHosts = Map.copyOf(b.canonicalHosts);
        this.hsts = b.hsts;
        this.errorPages = b.errorPages;
        this.retries = b.retries;
        this.closeOnShutdown = b.closeOnShutdown;
        this.observers = List.copyOf(b.observers);
        this.accessLog = b.accessLog;
        this.dropUnderscoreHeaders = b.dropUnderscoreHeaders;
        this.tuning = b.tuning;
        this.drainTime = b.drainTime;
        this.tunnels = List.copyOf(b.tunnels);
    }

    /** Starts a server with this configuration; see {@link Builder#start}. */
    public ProxyServer start() {
        return ProxyServer.start(this);
    }

    /** The endpoints to open, in order. */
    public List<Listen> listens() {
        return listens;
    }

    /** The address to bind to; empty for all. */
    public Optional<String> bind() {
        return Optional.ofNullable(bind);
    }

    /** The routes in the order they were given, the default route included. */
    public List<Route> routes() {
        return routes;
    }

    /** Where certificates come from; empty for a self-signed one. */
    public List<Certificates> certificates() {
        return certificates;
    }

    /** How often certificate files are checked for changes; zero for never. */
    public Duration certificateReload() {
        return certificateReload;
    }

    /** Which TLS implementation serves. */
    public TlsProvider tlsProvider() {
        return tlsProvider;
    }

    /** Client certificates at endpoints without a setting of their own. */
    public ClientCertificates clientCertificates() {
        return clientCertificates;
    }

    /** The server-wide authenticator; empty if every request may pass. */
    public Optional<Authenticator> authenticator() {
        return Optional.ofNullable(authenticator);
    }

    /** The timeouts of routes that have none of their own. */
    public TimeoutPolicy timeouts() {
        return timeouts;
    }

    /** The proxies whose forwarding fields are believed. */
    public List<AddressRange> trustedProxies() {
        return trustedProxies;
    }

    /** Which fields tell upstreams about the client, on routes that have no setting of their own. */
    public ForwardedHeaders forwardedHeaders() {
        return forwardedHeaders;
    }

    /** Whether connections begin with a header of the PROXY protocol. */
    public ProxyProtocol proxyProtocol() {
        return proxyProtocol;
    }

    /** The canonical host of each alias, in lower case without a trailing dot. */
    public Map<String, String> canonicalHosts() {
        return canonicalHosts;
    }

    /** The policy of {@code Strict-Transport-Security}; empty if the field isn't sent. */
    public Optional<Hsts> hsts() {
        return Optional.ofNullable(hsts);
    }

    /** The operator's error pages; empty for the server's own. */
    public Optional<ErrorPages> errorPages() {
        return Optional.ofNullable(errorPages);
    }

    /** How many requests of a route may be retried on another upstream. */
    public RetryBudget retries() {
        return retries;
    }

    /** Whether the server closes when the JVM does. */
    public boolean closeOnShutdown() {
        return closeOnShutdown;
    }

    /** The observers, in the order they were added. */
    public List<ProxyObserver> observers() {
        return observers;
    }

    /** The format of the access log; empty if there is none. */
    public Optional<AccessLogFormat> accessLog() {
        return Optional.ofNullable(accessLog);
    }

    /** Whether request fields whose names have underscores are dropped on every route. */
    public boolean dropUnderscoreHeaders() {
        return dropUnderscoreHeaders;
    }

    /** Limits, threads and buffers. */
    public Tuning tuning() {
        return tuning;
    }

    /** How long {@link ProxyServer#close()} waits for exchanges to end. */
    public Duration drainTime() {
        return drainTime;
    }

    /** The tunnels to public servers, with their announcements. */
    public List<Tunnel> tunnels() {
        return tunnels;
    }

    /** The public side of tunnels, which endpoints have rules for; empty if there is none. */
    public Optional<TunnelServer> tunnelServer() {
        return tunnelServers(listens).findFirst();
    }

    private static Stream<TunnelServer> tunnelServers(List<Listen> listens) {
        return listens.stream()
                .map(Listen::rules)
                .flatMap(Optional::stream)
                .flatMap(rules -> rules.tunnels().stream())
                .distinct();
    }

    /**
     * A builder that holds this configuration. A route added to it replaces the one of the same name, in its place; an
     * endpoint replaces the one of the same name, or else the one of the same protocol and port, unless that is 0.
     * Otherwise they are added. Everything that was added can be removed again.
     */
    public Builder toBuilder() {
        return new Builder(this);
    }

    @Override
    public String toString() {
        return "ProxyConfig[listens=" + listens + ", bind=" + (bind == null ? "all" : bind) + ", routes=" + routes
                + ", certificates=" + certificates + ", clientCertificates=" + clientCertificates + ", authenticator="
                + authenticator + ", timeouts=" + timeouts
                + ", trustedProxies=" + trustedProxies + ", tuning=" + tuning + ", tunnels=" + tunnels + "]";
    }

    /**
     * Collects a configuration. A single bad value throws in its method; what is wrong in combination is reported by
     * {@link #build()}, all at once. Null is a {@link NullPointerException} that names the parameter. Not thread-safe.
     */
    public static final class Builder {
        private static final Duration LONGEST_DRAIN = Duration.ofDays(365);
        private static final Duration SHORTEST_RELOAD = Duration.ofMillis(100);

        private final List<Listen> listens = new ArrayList<>();
        private @Nullable String bind;
        private final List<Route> routes = new ArrayList<>();
        private final Set<String> replaceable = new HashSet<>();
        private final List<Listen> replaceableListens = new ArrayList<>();
        private final List<Certificates> certificates = new ArrayList<>();
        private Duration certificateReload = Duration.ofSeconds(10);
        private TlsProvider tlsProvider = TlsProvider.AUTO;
        private ClientCertificates clientCertificates = ClientCertificates.off();
        private @Nullable Authenticator authenticator;
        private TimeoutPolicy timeouts = TimeoutPolicy.defaults();
        private final List<AddressRange> trustedProxies = new ArrayList<>();
        private ForwardedHeaders forwardedHeaders = ForwardedHeaders.all();
        private ProxyProtocol proxyProtocol = ProxyProtocol.OFF;
        private final Map<String, String> canonicalHosts = new LinkedHashMap<>();
        private @Nullable Hsts hsts;
        private @Nullable ErrorPages errorPages;
        private RetryBudget retries = RetryBudget.defaults();
        private boolean closeOnShutdown;
        private final List<ProxyObserver> observers = new ArrayList<>();
        private @Nullable AccessLogFormat accessLog;
        private boolean dropUnderscoreHeaders;
        private Tuning tuning = Tuning.defaults();
        private Duration drainTime = Duration.ofSeconds(30);
        private final List<Tunnel> tunnels = new ArrayList<>();

        Builder() {}

        private Builder(ProxyConfig config) {
            listens.addAll(config.listens);
            replaceableListens.addAll(config.listens);
            bind = config.bind;
            routes.addAll(config.routes);
            config.routes.forEach(route -> replaceable.add(route.name()));
            certificates.addAll(config.certificates);
            certificateReload = config.certificateReload;
            tlsProvider = config.tlsProvider;
            clientCertificates = config.clientCertificates;
            authenticator = config.authenticator;
            timeouts = config.timeouts;
            trustedProxies.addAll(config.trustedProxies);
            forwardedHeaders = config.forwardedHeaders;
            proxyProtocol = config.proxyProtocol;
            canonicalHosts.putAll(config.canonicalHosts);
            hsts = config.hsts;
            errorPages = config.errorPages;
            retries = config.retries;
            closeOnShutdown = config.closeOnShutdown;
            observers.addAll(config.observers);
            accessLog = config.accessLog;
            dropUnderscoreHeaders = config.dropUnderscoreHeaders;
            tuning = config.tuning;
            drainTime = config.drainTime;
            tunnels.addAll(config.tunnels);
        }

        /**
         * Adds an endpoint for HTTP/2 and HTTP/1.1 over TLS, negotiated by ALPN; a client without ALPN speaks HTTP/1.1.
         * Cleartext HTTP is redirected there. Port 0 is any free one.
         */
        public Builder https(int port) {
            return https(port, endpoint -> {});
        }

        /** The same with settings of its own; see {@link ProxyConfig#toBuilder} for what it replaces. */
        public Builder https(int port, Consumer<EndpointBuilder> settings) {
            return listen(Listen.Protocol.HTTPS, port, settings);
        }

        /**
         * Adds an endpoint for cleartext HTTP/1.1, and HTTP/2 by prior knowledge (RFC 9113 section 3.3). Port 0 is any
         * free one.
         */
        public Builder http(int port) {
            return http(port, endpoint -> {});
        }

        /** The same with settings of its own; see {@link ProxyConfig#toBuilder} for what it replaces. */
        public Builder http(int port, Consumer<EndpointBuilder> settings) {
            return listen(Listen.Protocol.HTTP, port, settings);
        }

        /**
         * Adds a cleartext endpoint, for the protocols of {@link #http(int)}, that redirects to the first HTTPS
         * endpoint. Port 0 is any free one.
         */
        public Builder redirectHttp(int port) {
            return redirectHttp(port, endpoint -> {});
        }

        /** The same with settings of its own; see {@link ProxyConfig#toBuilder} for what it replaces. */
        public Builder redirectHttp(int port, Consumer<EndpointBuilder> settings) {
            return listen(Listen.Protocol.REDIRECT, port, settings);
        }

        /**
         * Adds an endpoint that several protocols share, by rules. Port 0 is any free one. Open relays of one that it
         * replaces go on; see {@link ProxyConfig#toBuilder}.
         */
        public Builder listen(int port, Consumer<PortBuilder> rules) {
            PortBuilder builder = new PortBuilder();
            Objects.requireNonNull(rules, "rules").accept(builder);
            return listen(new Listen(Listen.Protocol.RULES, port, builder.endpoint(), Optional.of(builder.build())));
        }

        private Builder listen(Listen.Protocol protocol, int port, Consumer<EndpointBuilder> settings) {
            EndpointBuilder builder = new EndpointBuilder();
            Objects.requireNonNull(settings, "settings").accept(builder);
            return listen(new Listen(protocol, port, builder.build(), Optional.empty()));
        }

        private Builder listen(Listen listen) {
            if (listen.port() < 0 || listen.port() > 65535) {
                throw new IllegalArgumentException("port: " + listen.port() + " (expected: 0-65535)");
            }
            Listen replaced = null;
            for (Listen old : replaceableListens) {
                if (old.isSameAs(listen) || (replaced == null && old.hasPortOf(listen))) {
                    replaced = old;
                }
            }
            if (replaced != null && listens.contains(replaced)) {
                replaceableListens.remove(replaced);
                listens.set(listens.indexOf(replaced), listen);
            } else {
                listens.add(listen);
            }
            return this;
        }

        /**
         * Removes an endpoint. In an update it stops accepting, and what is in flight on its connections ends within
         * the drain time. Another endpoint can have its port by a later update, not by the same one.
         *
         * @param name the one that was given, or the default of its protocol and of the port as it was given, such as
         *     {@code https-8443}; {@code https-0} is the first one of that protocol with any free port
         * @throws IllegalArgumentException if there is none such
         */
        public Builder removeEndpoint(String name) {
            Objects.requireNonNull(name, "name");
            List<String> names = listens.stream().map(Listen::givenName).toList();
            int index = names.indexOf(name);
            if (index < 0) {
                throw new IllegalArgumentException("removeEndpoint: " + name + " (expected: one of " + names + ")");
            }
            listens.remove(index);
            return this;
        }

        /**
         * The local address or host name to bind all endpoints to; default: all addresses.
         *
         * @throws IllegalArgumentException if it is blank
         */
        public Builder bind(String address) {
            if (Objects.requireNonNull(address, "address").isBlank()) {
                throw new IllegalArgumentException("bind: '' (expected: a local address such as 127.0.0.1)");
            }
            this.bind = address;
            return this;
        }

        /** Binds endpoints without an address of their own to all addresses; takes {@link #bind} back. */
        public Builder bindToAll() {
            this.bind = null;
            return this;
        }

        /**
         * Where the certificates of HTTPS endpoints come from, in place of those given before; the one that fits the
         * name that a client asks for is served, else the first. None, the default, is a self-signed one.
         */
        public Builder certificates(Certificates... sources) {
            certificates.clear();
            for (Certificates source : Objects.requireNonNull(sources, "sources")) {
                certificates.add(Objects.requireNonNull(source, "source"));
            }
            return this;
        }

        /**
         * How often the files of PEM and PKCS#12 certificates are checked for changes, which are served without an
         * {@link ProxyServer#update update}, 100 ms to 365 days; default 10 s, zero for never. Files that can't be
         * used, such as a key that doesn't match, are never served: the previous certificates are still served.
         */
        public Builder certificateReload(Duration interval) {
            boolean never =
                    Objects.requireNonNull(interval, "certificateReload").isZero();
            if (!never && (interval.compareTo(SHORTEST_RELOAD) < 0 || interval.compareTo(LONGEST_DRAIN) > 0)) {
                throw new IllegalArgumentException(
                        "certificateReload: " + interval + " (expected: zero, or 100 ms to 365 days)");
            }
            this.certificateReload = interval;
            return this;
        }

        /**
         * Whether TLS is the JDK's, for clients, upstreams and tunnels. Default: no, it is Conscrypt's, which is
         * faster, or the JDK's where Conscrypt's native library doesn't load.
         */
        public Builder jdkTls(boolean on) {
            this.tlsProvider = on ? TlsProvider.JDK : TlsProvider.AUTO;
            return this;
        }

        /**
         * Requests certificates of clients at HTTPS endpoints, and passes them to the upstream; default: none. Clients
         * of plain-HTTP endpoints are anonymous.
         */
        public Builder clientCertificates(ClientCertificates asked) {
            this.clientCertificates = Objects.requireNonNull(asked, "clientCertificates");
            return this;
        }

        /**
         * Adds the default route, for every host and path that no other route takes, or replaces the one that was
         * there, see {@link ProxyConfig#toBuilder}: all its upstreams are given in one call.
         */
        public Builder forward(String... uris) {
            return route(route -> route.forward(uris));
        }

        /** Adds the default route, as {@link #forward(String...)}, to a group that other routes may share. */
        public Builder forward(UpstreamGroup group) {
            return route(route -> route.forward(group));
        }

        /** Adds a route, or replaces the one with its name that was there, see {@link ProxyConfig#toBuilder}. */
        public Builder route(Consumer<Route.Builder> route) {
            Route.Builder builder = Route.builder();
            Objects.requireNonNull(route, "route").accept(builder);
            return route(builder.build());
        }

        /** Adds or replaces a route that was built before. */
        public Builder route(Route route) {
            String name = Objects.requireNonNull(route, "route").name();
            if (replaceable.remove(name)) {
                routes.replaceAll(old -> old.name().equals(name) ? route : old);
            } else {
                routes.add(route);
            }
            return this;
        }

        /** Replaces all routes, those of {@link #forward} included. */
        public Builder routes(List<Route> others) {
            List<Route> checked = new ArrayList<>();
            for (Route route : Objects.requireNonNull(others, "routes")) {
                checked.add(Objects.requireNonNull(route, "route"));
            }
            routes.clear();
            routes.addAll(checked);
            replaceable.clear();
            return this;
        }

        /**
         * Removes a route. In an update its exchanges end within the drain time.
         *
         * @throws IllegalArgumentException if there is none of that name
         */
        public Builder removeRoute(String name) {
            Objects.requireNonNull(name, "name");
            if (!routes.removeIf(route -> route.name().equals(name))) {
                throw new IllegalArgumentException("removeRoute: " + name + " (expected: the name of a route)");
            }
            replaceable.remove(name);
            return this;
        }

        /**
         * One user and one password (RFC 7617), in place of an authenticator given before; see {@link BasicAuth#of}.
         *
         * @throws IllegalArgumentException if one is empty or has control characters, or the user has a colon
         */
        public Builder basicAuth(String user, String password) {
            return authenticator(BasicAuth.of(user, password));
        }

        /** Decides whether a request may pass, on every route without one of its own; default: every request may. */
        public Builder authenticator(Authenticator decides) {
            this.authenticator = Objects.requireNonNull(decides, "authenticator");
            return this;
        }

        /** Every request may pass, except on routes with authentication of their own; takes back what was given. */
        public Builder withoutAuthentication() {
            this.authenticator = null;
            return this;
        }

        /** The timeouts of routes that have none of their own. */
        public Builder timeouts(TimeoutPolicy policy) {
            this.timeouts = Objects.requireNonNull(policy, "timeouts");
            return this;
        }

        /**
         * The proxies whose {@code X-Forwarded-*} and {@code Forwarded} fields are believed, in place of those given
         * before; default: none. {@code X-Forwarded-For} names the client, or {@code Forwarded} if that is missing.
         */
        public Builder trustedProxies(String... ranges) {
            trustedProxies.clear();
            for (String range : Objects.requireNonNull(ranges, "ranges")) {
                trustedProxies.add(AddressRange.of(range));
            }
            return this;
        }

        /**
         * Which fields tell upstreams about the client, on routes without a setting of their own; default:
         * {@link ForwardedHeaders#all()}. A family that isn't written is removed from requests, unless the peer is one
         * of {@link #trustedProxies}.
         */
        public Builder forwardedHeaders(ForwardedHeaders written) {
            this.forwardedHeaders = Objects.requireNonNull(written, "forwardedHeaders");
            return this;
        }

        /**
         * Whether connections begin with a header of the PROXY protocol, on all endpoints; it is believed only from
         * {@link #trustedProxies}. Default: off.
         */
        public Builder proxyProtocol(ProxyProtocol mode) {
            this.proxyProtocol = Objects.requireNonNull(mode, "proxyProtocol");
            return this;
        }

        /**
         * Redirects requests for other hosts to this one, keeping scheme, port, path and query (308), before routing;
         * in addition to earlier calls.
         *
         * @param host such as {@code example.com}
         * @param aliases such as {@code www.example.com}
         */
        public Builder canonicalHost(String host, String... aliases) {
            String canonical = hostName(host);
            for (String alias : Objects.requireNonNull(aliases, "aliases")) {
                String name = hostName(alias);
                if (name.equals(canonical)) {
                    throw new IllegalArgumentException(
                            "canonicalHost: " + alias + " (expected: aliases other than the host itself)");
                }
                canonicalHosts.put(name, canonical);
            }
            return this;
        }

        private static String hostName(String host) {
            HostPattern pattern = HostPattern.of(host);
            if (pattern.isWildcard()) {
                throw new IllegalArgumentException("canonicalHost: " + host + " (expected: a host name without *)");
            }
            return pattern.toString();
        }

        /**
         * No longer redirects an alias of {@link #canonicalHost}.
         *
         * @throws IllegalArgumentException if it is none
         */
        public Builder removeCanonicalHost(String alias) {
            if (canonicalHosts.remove(hostName(Objects.requireNonNull(alias, "alias"))) == null) {
                throw new IllegalArgumentException(
                        "removeCanonicalHost: " + alias + " (expected: an alias of canonicalHost(…))");
            }
            return this;
        }

        /**
         * Tells browsers to use HTTPS only for this host (RFC 6797): responses to clients that used HTTPS, to this
         * server or to a trusted proxy, have the field {@code Strict-Transport-Security}. Default: no such field.
         */
        public Builder hsts(Duration maxAge) {
            this.hsts = Hsts.of(maxAge);
            return this;
        }

        /** The same for all subdomains too. */
        public Builder hstsWithSubDomains(Duration maxAge) {
            this.hsts = Hsts.of(maxAge).withSubDomains();
            return this;
        }

        /**
         * The same for all subdomains too, and browsers may preload it.
         *
         * @throws IllegalArgumentException if it is below 365 days
         */
        public Builder hstsWithPreload(Duration maxAge) {
            this.hsts = Hsts.of(maxAge).withSubDomains().withPreload();
            return this;
        }

        /**
         * Doesn't send {@code Strict-Transport-Security}, the default. Browsers remember an earlier policy:
         * {@link #hsts} with zero seconds revokes it.
         */
        public Builder withoutHsts() {
            this.hsts = null;
            return this;
        }

        /** Sets pages for responses that the proxy makes itself. */
        public Builder errorPages(ErrorPages pages) {
            this.errorPages = Objects.requireNonNull(pages, "errorPages");
            return this;
        }

        /** Uses the proxy's own pages, the default. */
        public Builder withoutErrorPages() {
            this.errorPages = null;
            return this;
        }

        /**
         * How many requests of a route may be retried on another upstream, so that retries never multiply the load of
         * failing upstreams: each request earns a fraction of a retry, each retry spends one. Retrying a request on an
         * idle connection that the upstream has closed meanwhile costs nothing. Default: 0.2 and 100.
         *
         * @param share of a retry that each request earns, 0 to 1
         * @param reserve how many retries there are at the start, and at most ten times of it, 0 to 100,000
         */
        public Builder retries(double share, int reserve) {
            this.retries = RetryBudget.none().withShare(share).withReserve(reserve);
            return this;
        }

        /** No request is retried on another upstream. */
        public Builder withoutRetries() {
            this.retries = RetryBudget.none();
            return this;
        }

        /**
         * Closes the server, by {@link ProxyServer#close()}, when the JVM is about to end; default: no, the library
         * installs no shutdown hook.
         */
        public Builder closeOnShutdown(boolean on) {
            this.closeOnShutdown = on;
            return this;
        }

        /** Adds an observer. */
        public Builder observer(ProxyObserver observer) {
            observers.add(Objects.requireNonNull(observer, "observer"));
            return this;
        }

        /**
         * Removes an observer, which may still be called for exchanges in flight.
         *
         * @throws IllegalArgumentException if it wasn't added
         */
        public Builder removeObserver(ProxyObserver observer) {
            if (!observers.remove(Objects.requireNonNull(observer, "observer"))) {
                throw new IllegalArgumentException(
                        "removeObserver: " + observer + " (expected: an observer that was added)");
            }
            return this;
        }

        /**
         * Logs a line for each ended exchange through the SLF4J logger {@code io.webproxy.access} at INFO, in combined
         * format with the proxy's own fields after it; default: no. It has queries only when that logger is at DEBUG.
         */
        public Builder accessLog(boolean on) {
            this.accessLog = on ? AccessLogFormat.COMBINED : null;
            return this;
        }

        /** The same, with a JSON object for each exchange. */
        public Builder accessLogJson() {
            this.accessLog = AccessLogFormat.JSON;
            return this;
        }

        /**
         * Whether request fields are dropped, on every route, whose names have underscores or other characters than
         * letters, digits and hyphens. Default: no, they pass, except for those that could be taken for another field,
         * see {@link Route.Builder#allowUnderscores()}, which doesn't overrule this.
         */
        public Builder dropUnderscoreHeaders(boolean on) {
            this.dropUnderscoreHeaders = on;
            return this;
        }

        /** Sets limits, threads and buffers; default: {@link Tuning#defaults()}. */
        public Builder tuning(Tuning tuning) {
            this.tuning = Objects.requireNonNull(tuning, "tuning");
            return this;
        }

        /** Changes some limits, threads or buffers: {@code tuning(t -> t.withIoThreads(4))}. The others stay. */
        public Builder tuning(UnaryOperator<Tuning> change) {
            return tuning(Objects.requireNonNull(change, "change").apply(tuning));
        }

        /** How long {@link ProxyServer#close()} waits for exchanges to end; default 30 s, zero cuts at once. */
        public Builder drainTime(Duration time) {
            if (Objects.requireNonNull(time, "drainTime").isNegative() || time.compareTo(LONGEST_DRAIN) > 0) {
                throw new IllegalArgumentException("drainTime: " + time + " (expected: zero to 365 days)");
            }
            this.drainTime = time;
            return this;
        }

        /**
         * Adds a tunnel: dials a public server, and announces names and ports there; the server then needs no endpoint.
         * It reconnects after a loss, and keeps trying if the public server can't be reached at the start.
         *
         * @param server {@code host:port}; {@link Tunnel#connect} adds others
         * @throws IllegalArgumentException with all problems of the tunnel
         */
        public Builder tunnel(String server, UnaryOperator<Tunnel> tunnel) {
            return tunnel(Objects.requireNonNull(tunnel, "tunnel").apply(Tunnel.to(server)));
        }

        /**
         * Adds a tunnel, as {@link #tunnel(String, UnaryOperator)} does.
         *
         * @throws IllegalArgumentException with all problems of the tunnel
         */
        public Builder tunnel(Tunnel tunnel) {
            List<String> problems = Objects.requireNonNull(tunnel, "tunnel").problems();
            if (!problems.isEmpty()) {
                throw new IllegalArgumentException(String.join("; ", problems));
            }
            tunnels.add(tunnel);
            return this;
        }

        /**
         * Removes a tunnel. In an update it gets no more clients, and connected ones stay until they end.
         *
         * @throws IllegalArgumentException if there is none such
         */
        public Builder removeTunnel(Tunnel tunnel) {
            if (!tunnels.remove(Objects.requireNonNull(tunnel, "tunnel"))) {
                throw new IllegalArgumentException("removeTunnel: " + tunnel + " (expected: a tunnel of tunnels())");
            }
            return this;
        }

        /**
         * The configuration.
         *
         * @throws ProxyConfigException with all problems, if there are any
         */
        public ProxyConfig build() {
            List<String> problems = new ArrayList<>();
            boolean tunnelled = tunnels.stream().anyMatch(Tunnel::hasHttps);
            if (listens.isEmpty() && tunnels.isEmpty()) {
                problems.add(
                        "endpoints: none (expected: at least one of https(port), http(port), listen(port, rules))");
            }
            boolean https = tunnelled || listens.stream().anyMatch(Listen::isTls);
            boolean toHttps = listens.stream().anyMatch(Listen::speaksTls);
            boolean http = tunnelled
                    || (listens.isEmpty() && tunnels.isEmpty())
                    || listens.stream().anyMatch(Listen::isHttp);
            Set<String> addresses = new HashSet<>();
            Set<String> names = new HashSet<>();
            for (Listen listen : listens) {
                String host = listen.settings().bind().orElse(bind == null ? "" : bind);
                if (listen.port() != 0 && !addresses.add(host + " " + listen.port())) {
                    problems.add("port: " + listen.port() + " (expected: each port only once)");
                } else {
                    listen.expectedName()
                            .filter(name -> !names.add(name))
                            .ifPresent(name ->
                                    problems.add("name: " + name + " (expected: each endpoint's name only once)"));
                }
                if (listen.isRedirect() && !toHttps) {
                    problems.add("redirectHttp: " + listen.port() + " (expected: an https(port) to redirect to, or a"
                            + " port with a rule for TLS)");
                }
                listen.problems(!trustedProxies.isEmpty())
                        .forEach(problem -> problems.add(listen.verb() + " " + listen.port() + ": " + problem));
            }
            if (routes.isEmpty() && http) {
                problems.add("routes: none (expected: forward(\"http://host:port\"), or at least one route)");
            }
            List<TunnelServer> servers = tunnelServers(listens).toList();
            if (servers.size() > 1) {
                problems.add("tunnels: " + servers + " (expected: the same for all endpoints that have any)");
            }
            for (TunnelServer server : servers) {
                if (!server.hasIdentity()) {
                    problems.add("tunnels: no identity (expected: identity(DIR), where the public side's key is kept)");
                }
            }
            if (!certificates.isEmpty() && !https) {
                problems.add("certificates: " + certificates + " (expected: an https(port) that serves them)");
            }
            if (!clientCertificates.isOff() && !https) {
                problems.add(
                        "clientCertificates: " + clientCertificates + " (expected: an https(port) that asks for them)");
            }
            if (proxyProtocol == ProxyProtocol.REQUIRED && trustedProxies.isEmpty()) {
                problems.add("proxyProtocol: REQUIRED (expected: trustedProxies(…) whose headers are believed)");
            }
            if (hsts != null && !https) {
                problems.add("hsts: " + hsts.value() + " (expected: an https(port), for it is said over TLS only)");
            }
            canonicalHosts.forEach((alias, host) -> {
                if (canonicalHosts.containsKey(host)) {
                    problems.add("canonicalHost: " + alias + " -> " + host
                            + " (expected: a host that isn't an alias itself)");
                }
            });
            problems.addAll(RouteTable.problems(routes));
            Set<String> certificateFields = new HashSet<>(Set.of(clientCertificates.header()));
            listens.forEach(listen ->
                    listen.settings().clientCertificates().ifPresent(own -> certificateFields.add(own.header())));
            problems.addAll(new SentUsers(authenticator, certificateFields).problems(routes));
            problems.addAll(new StatusPlaces(bind, authenticator != null, clientCertificates, tunnelled)
                    .problems(listens, routes));
            problems.addAll(new GroupConflicts(tuning.pool(), tuning.outlierEjection()).problems(routes));
            if (!problems.isEmpty()) {
                throw new ProxyConfigException(problems);
            }
            return new ProxyConfig(this);
        }

        /**
         * Builds and starts: all endpoints or none. Returns when they listen.
         *
         * @throws ProxyConfigException if the configuration is wrong
         * @throws ProxyStartException if an endpoint can't be opened or a certificate can't be used
         */
        public ProxyServer start() {
            return build().start();
        }
    }
}
