package io.webproxy.route;

import io.webproxy.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which requests go to which upstreams. Immutable; made by a {@link Builder}.
 *
 * <p>Several upstreams take turns; one that can't be connected to is passed over for the next.
 */
public final class Route {
    private static final Duration LEAST_PERIOD = Duration.ofMillis(100);
    private static final Duration MOST_PERIOD = Duration.ofDays(1);

    private final String name;
    private final HostPattern host;
    private final PathPrefix path;
    private final boolean stripPrefix;
    private final List<Upstream> upstreams;
    private final @Nullable TimeoutPolicy timeouts;
    private final Duration sseHeartbeat;
    private final Duration webSocketPings;
    private final boolean halfClose;
    private final @Nullable RateLimit rateLimit;

    private Route(Builder builder) {
        this.host = builder.host;
        this.path = builder.path;
        this.stripPrefix = builder.stripPrefix;
        this.upstreams = List.copyOf(builder.upstreams);
        this.timeouts = builder.timeouts;
        this.sseHeartbeat = builder.sseHeartbeat;
        this.webSocketPings = builder.webSocketPings;
        this.halfClose = builder.halfClose;
        this.rateLimit = builder.rateLimit;
        this.name = builder.name == null ? host + path.toString() : builder.name;
    }

    /** A route for any host and any path, without upstreams yet. */
    public static Builder builder() {
        return new Builder();
    }

    /** What identifies the route in records and across updates: the given name, else its host and path pattern. */
    public String name() {
        return name;
    }

    /** The hosts. */
    public HostPattern host() {
        return host;
    }

    /** The paths. */
    public PathPrefix path() {
        return path;
    }

    /** Whether the upstream sees the path without the prefix. */
    public boolean stripPrefix() {
        return stripPrefix;
    }

    /** The upstreams, at least one. */
    public List<Upstream> upstreams() {
        return upstreams;
    }

    /** The route's own timeouts; empty for the server's. */
    public Optional<TimeoutPolicy> timeouts() {
        return Optional.ofNullable(timeouts);
    }

    /** After how much silence an event stream gets a comment line; zero for never. */
    public Duration sseHeartbeat() {
        return sseHeartbeat;
    }

    /** After how much silence a WebSocket's client gets a ping; zero for never. */
    public Duration webSocketPings() {
        return webSocketPings;
    }

    /** Whether a client that has ended its sending side still gets its answer. */
    public boolean halfClose() {
        return halfClose;
    }

    /** How many requests one client address may send; empty for as many as it likes. */
    public Optional<RateLimit> rateLimit() {
        return Optional.ofNullable(rateLimit);
    }

    @Override
    public String toString() {
        return "Route[" + name + " -> " + upstreams + "]";
    }

    /** Collects what a {@link Route} is made of; a bad value throws in its method. Not thread-safe. */
    public static final class Builder {
        private @Nullable String name;
        private HostPattern host = HostPattern.any();
        private PathPrefix path = PathPrefix.root();
        private boolean stripPrefix;
        private final List<Upstream> upstreams = new ArrayList<>();
        private @Nullable TimeoutPolicy timeouts;
        private Duration sseHeartbeat = Duration.ZERO;
        private Duration webSocketPings = Duration.ZERO;
        private boolean halfClose;
        private @Nullable RateLimit rateLimit;

        private Builder() {}

        /**
         * What the route is called; default: its host and path pattern.
         *
         * @throws IllegalArgumentException if it is blank
         */
        public Builder name(String name) {
            if (Objects.requireNonNull(name, "name").isBlank()) {
                throw new IllegalArgumentException("route.name: '' (expected: a name, or none)");
            }
            this.name = name;
            return this;
        }

        /** The hosts, see {@link HostPattern#of}; default: any. */
        public Builder host(String pattern) {
            this.host = HostPattern.of(pattern);
            return this;
        }

        /** The paths, see {@link PathPrefix#of}; default: all. */
        public Builder path(String prefix) {
            this.path = PathPrefix.of(prefix);
            return this;
        }

        /** The upstream sees the path without the prefix; what is left passes byte for byte. */
        public Builder stripPrefix() {
            this.stripPrefix = true;
            return this;
        }

        /** Adds upstreams, see {@link Upstream#of}. */
        public Builder forward(String... uris) {
            for (String uri : Objects.requireNonNull(uris, "uris")) {
                upstreams.add(Upstream.of(uri));
            }
            return this;
        }

        /** Adds upstreams. */
        public Builder forward(Upstream... others) {
            for (Upstream upstream : Objects.requireNonNull(others, "upstreams")) {
                upstreams.add(Objects.requireNonNull(upstream, "upstream"));
            }
            return this;
        }

        /** Timeouts in place of the server's. */
        public Builder timeouts(TimeoutPolicy policy) {
            this.timeouts = Objects.requireNonNull(policy, "timeouts");
            return this;
        }

        /**
         * Sends a comment line into each response of type {@code text/event-stream} whenever the client got nothing for this long, so that what stands
         * between it and the proxy keeps the connection: only between two events, never into a response with {@code Content-Length} or
         * a content encoding. Readers of event streams ignore comments (WHATWG HTML section 9.2.6). It is no sign of life of the upstream: the timeout
         * class runs on.
         *
         * @param silence 100 ms to 24 h, {@link Duration#ZERO} for never, which is the default
         */
        public Builder sseHeartbeat(Duration silence) {
            this.sseHeartbeat = period("sseHeartbeat", silence);
            return this;
        }

        /**
         * Sends a ping (RFC 6455 section 5.5.2) to a WebSocket's client that sent nothing for this long; one that then
         * neither sends nor takes a byte for as long again is taken for gone. The upstream sees neither ping nor pong, and the idle limit of {@code WEBSOCKET}, if there is one, isn't
         * restarted by them.
         *
         * @param silence 100 ms to 24 h, {@link Duration#ZERO} for never, which is the default
         */
        public Builder webSocketPings(Duration silence) {
            this.webSocketPings = period("webSocketPings", silence);
            return this;
        }

        /**
         * An HTTP/1.1 client that ends its sending side behind its request (a TCP FIN, or close_notify) still gets its answer. It may seem a right of every
         * client, but one that closes for good can't be told from it until something is written; so by default the end counts as the
         * client's leaving, and ends the upstream's work at once. Over TLS it needs {@code TlsProvider.JDK}: Conscrypt ends both directions, as
         * TLS 1.2 does (RFC 5246 section 7.2.1).
         */
        public Builder allowHalfClose() {
            this.halfClose = true;
            return this;
        }

        /** How many requests one client address may send to this route; default: as many as it likes. */
        public Builder rateLimit(RateLimit limit) {
            this.rateLimit = Objects.requireNonNull(limit, "rateLimit");
            return this;
        }

        private static Duration period(String name, Duration silence) {
            Objects.requireNonNull(silence, name);
            if (!silence.isZero() && (silence.compareTo(LEAST_PERIOD) < 0 || silence.compareTo(MOST_PERIOD) > 0)) {
                throw new IllegalArgumentException(
                        "route." + name + ": " + silence + " (expected: 100 ms to 24 h, or 0 for never)");
            }
            return silence;
        }

        /**
         * The route.
         *
         * @throws IllegalArgumentException if it has no upstream
         */
        public Route build() {
            if (upstreams.isEmpty()) {
                throw new IllegalArgumentException("route " + (name == null ? host + path.toString() : name)
                        + ": no upstream (expected: forward(\"http://host:port\") on the route)");
            }
            return new Route(this);
        }
    }
}
