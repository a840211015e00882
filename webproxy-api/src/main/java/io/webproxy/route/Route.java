package io.webproxy.route;

import io.webproxy.timeout.TimeoutPolicy;
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
    private final String name;
    private final HostPattern host;
    private final PathPrefix path;
    private final boolean stripPrefix;
    private final List<Upstream> upstreams;
    private final @Nullable TimeoutPolicy timeouts;

    private Route(Builder builder) {
        this.host = builder.host;
        this.path = builder.path;
        this.stripPrefix = builder.stripPrefix;
        this.upstreams = List.copyOf(builder.upstreams);
        this.timeouts = builder.timeouts;
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
