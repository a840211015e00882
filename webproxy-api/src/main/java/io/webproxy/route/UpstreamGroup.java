package io.webproxy.route;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Upstreams that serve the same requests, and how one of them is chosen. As many routes as like may share a group, by
 * {@link Route.Builder#forward(UpstreamGroup)}: whose turn it is, which share of requests each upstream fails and
 * whether it is healthy is the group's then, not the route's. Immutable; start from {@link #of(String...)}.
 *
 * <p>Two groups are equal if they are the same object, or if they have a name and all their settings are equal. What is
 * known of a group stays when an update brings an equal one, so groups that are read from a file again need a name. The
 * balancings of {@link Balancing} are equal by kind; one of your own is equal by its {@code equals}.
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

    private UpstreamGroup(
            @Nullable String name,
            List<Upstream> upstreams,
            Balancing balancing,
            @Nullable HealthCheck healthCheck,
            @Nullable OutlierEjection outlierEjection,
            @Nullable PoolLimits pool) {
        this.name = name;
        this.upstreams = upstreams;
        this.balancing = balancing;
        this.healthCheck = healthCheck;
        this.outlierEjection = outlierEjection;
        this.pool = pool;
    }

    /**
     * A group of these upstreams, see {@link Upstream#of}: each in its turn, without a health check.
     *
     * @throws IllegalArgumentException if there is none, or one that can't be read
     */
    public static UpstreamGroup of(String... uris) {
        List<Upstream> upstreams = new ArrayList<>();
        for (String uri : Objects.requireNonNull(uris, "uris")) {
            upstreams.add(Upstream.of(uri));
        }
        return of(upstreams);
    }

    /**
     * The same of upstreams that are made already.
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
        return new UpstreamGroup(null, List.copyOf(upstreams), Balancing.roundRobin(), null, null, null);
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
        return new UpstreamGroup(identity, upstreams, balancing, healthCheck, outlierEjection, pool);
    }

    /** The same with another way to choose one of several; default: {@link Balancing#roundRobin()}. */
    public UpstreamGroup balancing(Balancing policy) {
        return new UpstreamGroup(
                name, upstreams, Objects.requireNonNull(policy, "balancing"), healthCheck, outlierEjection, pool);
    }

    /**
     * The same with a health check of every upstream; default: none.
     *
     * @throws IllegalArgumentException if it is by gRPC and an upstream doesn't speak HTTP/2
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
        return new UpstreamGroup(name, upstreams, balancing, check, outlierEjection, pool);
    }

    /** The same with its own rule for upstreams that fail; default: the server's. */
    public UpstreamGroup outlierEjection(OutlierEjection ejection) {
        return new UpstreamGroup(
                name, upstreams, balancing, healthCheck, Objects.requireNonNull(ejection, "outlierEjection"), pool);
    }

    /**
     * The same with its own limits of the connections to each upstream; default: the server's. An upstream of several
     * groups has one pool, so these must agree about it.
     */
    public UpstreamGroup pool(PoolLimits limits) {
        return new UpstreamGroup(
                name, upstreams, balancing, healthCheck, outlierEjection, Objects.requireNonNull(limits, "pool"));
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

    /** When upstreams that fail are skipped; empty for the server's rule. */
    public Optional<OutlierEjection> outlierEjection() {
        return Optional.ofNullable(outlierEjection);
    }

    /** The limits of connections to each upstream; empty for the server's. */
    public Optional<PoolLimits> pool() {
        return Optional.ofNullable(pool);
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
                        && Objects.equals(pool, that.pool));
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
