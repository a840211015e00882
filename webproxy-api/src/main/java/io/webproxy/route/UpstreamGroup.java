package io.webproxy.route;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Upstreams that serve the same requests, and how one of them is chosen. Routes may share a group, by
 * {@link Route.Builder#forward(UpstreamGroup)}: the turns, the share of requests that each upstream fails and its
 * health then belong to the group, not to the route. Immutable; start from {@link #of(String...)}.
 *
 * <p>Two groups are equal if they are the same object, or if they have a name and all their settings are equal. A group
 * keeps its state if an update brings an equal one, so groups that are read from a file need a name. The balancings of
 * {@link Balancing} are equal by type; your own are equal by their {@code equals}.
 *
 * <p>A configuration must not have different groups of the same name.
 */
public final class UpstreamGroup {
    private final @Nullable String name;
    private final List<Upstream> upstreams;
    private final Balancing balancing;
    private final @Nullable HealthCheck healthCheck;
    private final @Nullable OutlierEjection outlierEjection;
    private final @Nullable PoolLimits pool;
    private final Duration slowStart;

    private UpstreamGroup(
            @Nullable String name,
            List<Upstream> upstreams,
            Balancing balancing,
            @Nullable HealthCheck healthCheck,
            @Nullable OutlierEjection outlierEjection,
            @Nullable PoolLimits pool,
            Duration slowStart) {
        this.name = name;
        this.upstreams = upstreams;
        this.balancing = balancing;
        this.healthCheck = healthCheck;
        this.outlierEjection = outlierEjection;
        this.pool = pool;
        this.slowStart = slowStart;
    }

    /**
     * A group of these upstreams, see {@link Upstream#of}, with round robin and without a health check.
     *
     * @throws IllegalArgumentException if there is none, or one is invalid
     */
    public static UpstreamGroup of(String... uris) {
        List<Upstream> upstreams = new ArrayList<>();
        for (String uri : Objects.requireNonNull(uris, "uris")) {
            upstreams.add(Upstream.of(uri));
        }
        return of(upstreams);
    }

    /**
     * The same for existing upstreams.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static UpstreamGroup of(Upstream... upstreams) {
        List<Upstream> all = new ArrayList<>();
        for (Upstream upstream : Objects.requireNonNull(upstreams, "upstreams")) {
            all.add(Objects.requireNonNull(upstream, "upstream"));
        }
        return of(all);
    }

    static UpstreamGroup of(List<Upstream> upstreams) {
        if (upstreams.isEmpty()) {
            throw new IllegalArgumentException(
                    "upstreamGroup: no upstream (expected: UpstreamGroup.of(\"http://host:port\", …))");
        }
        return new UpstreamGroup(null, List.copyOf(upstreams), Balancing.roundRobin(), null, null, null, Duration.ZERO);
    }

    /**
     * The same with a name, for logs and for updates; default: none.
     *
     * @throws IllegalArgumentException if it is blank
     */
    public UpstreamGroup named(String identity) {
        if (Objects.requireNonNull(identity, "name").isBlank()) {
            throw new IllegalArgumentException("upstreamGroup.name: '' (expected: a name, or none)");
        }
        return new UpstreamGroup(identity, upstreams, balancing, healthCheck, outlierEjection, pool, slowStart);
    }

    /** The same with another way to choose one of several; default: {@link Balancing#roundRobin()}. */
    public UpstreamGroup balancing(Balancing policy) {
        return new UpstreamGroup(
                name,
                upstreams,
                Objects.requireNonNull(policy, "balancing"),
                healthCheck,
                outlierEjection,
                pool,
                slowStart);
    }

    /**
     * The same with a health check of every upstream; default: none.
     *
     * @throws IllegalArgumentException if it is a gRPC check and an upstream doesn't speak HTTP/2
     */
    public UpstreamGroup healthCheck(HealthCheck check) {
        if (Objects.requireNonNull(check, "healthCheck").grpcService().isPresent()) {
            for (Upstream upstream : upstreams) {
                if (!upstream.isHttp2()) {
                    throw new IllegalArgumentException("healthCheck: gRPC to " + upstream
                            + " (expected: an upstream that speaks HTTP/2, "
                            + (upstream.tls() ? "https+h2://" : "h2c://") + upstream.authority() + ")");
                }
            }
        }
        return new UpstreamGroup(name, upstreams, balancing, check, outlierEjection, pool, slowStart);
    }

    /** The same with its own rule for upstreams that fail; default: the server's. */
    public UpstreamGroup outlierEjection(OutlierEjection ejection) {
        return new UpstreamGroup(
                name,
                upstreams,
                balancing,
                healthCheck,
                Objects.requireNonNull(ejection, "outlierEjection"),
                pool,
                slowStart);
    }

    /**
     * The same with its own limits of the connections to each upstream; default: the server's. An upstream in several
     * groups has one pool, so their limits must be equal.
     */
    public UpstreamGroup pool(PoolLimits limits) {
        return new UpstreamGroup(
                name,
                upstreams,
                balancing,
                healthCheck,
                outlierEjection,
                Objects.requireNonNull(limits, "pool"),
                slowStart);
    }

    /**
     * The same with a slow start of upstreams that come back: after their health check has failed, after an ejection,
     * and when an update adds them to the group. Over this time the share of requests that such an upstream may get
     * grows from a tenth of its own to all of it, while others may be used; so none is without requests. Not when the
     * server starts, and not with {@link Balancing#failover}, {@link Balancing#clientAddressHash},
     * {@link Balancing#header} and {@link Balancing#cookie}, where the request says which upstream it needs. While it
     * lasts, {@link Balancing.Choice#inFlight} says proportionally more than there are.
     *
     * @param time 1 s to 1 h; {@link Duration#ZERO} for none, which is the default
     * @throws IllegalArgumentException if it is another
     */
    public UpstreamGroup slowStart(Duration time) {
        Objects.requireNonNull(time, "slowStart");
        if (!time.isZero() && (time.compareTo(Duration.ofSeconds(1)) < 0 || time.compareTo(Duration.ofHours(1)) > 0)) {
            throw new IllegalArgumentException("slowStart: " + time + " (expected: 1 s to 1 h, or 0 for none)");
        }
        return new UpstreamGroup(name, upstreams, balancing, healthCheck, outlierEjection, pool, time);
    }

    /** The name; empty for none. */
    public Optional<String> name() {
        return Optional.ofNullable(name);
    }

    /** The upstreams, at least one, in the order they were given. */
    public List<Upstream> upstreams() {
        return upstreams;
    }

    /** How one of several upstreams is chosen. */
    public Balancing balancing() {
        return balancing;
    }

    /** The health check; empty for none. */
    public Optional<HealthCheck> healthCheck() {
        return Optional.ofNullable(healthCheck);
    }

    /** When to eject failing upstreams; empty for the server's rule. */
    public Optional<OutlierEjection> outlierEjection() {
        return Optional.ofNullable(outlierEjection);
    }

    /** The limits of connections to each upstream; empty for the server's. */
    public Optional<PoolLimits> pool() {
        return Optional.ofNullable(pool);
    }

    /** Over what time upstreams that come back get their share of requests again; zero for at once. */
    public Duration slowStart() {
        return slowStart;
    }

    @Override
    public boolean equals(Object other) {
        return this == other
                || (other instanceof UpstreamGroup that
                        && name != null
                        && name.equals(that.name)
                        && upstreams.equals(that.upstreams)
                        && balancing.equals(that.balancing)
                        && Objects.equals(healthCheck, that.healthCheck)
                        && Objects.equals(outlierEjection, that.outlierEjection)
                        && Objects.equals(pool, that.pool)
                        && slowStart.equals(that.slowStart));
    }

    @Override
    public int hashCode() {
        return name == null ? System.identityHashCode(this) : name.hashCode();
    }

    @Override
    public String toString() {
        return (name == null ? "" : name) + upstreams;
    }
}
