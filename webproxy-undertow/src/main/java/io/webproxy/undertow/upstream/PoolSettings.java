package io.webproxy.undertow.upstream;

import io.webproxy.route.OutlierEjection;
import io.webproxy.route.PoolLimits;
import io.webproxy.route.UpstreamGroup;

/**
 * The settings of one upstream's pool.
 *
 * @param limits of its connections
 * @param ejection the rule for failed connects; the groups, not the pool, handle shares of failures
 */
public record PoolSettings(PoolLimits limits, OutlierEjection ejection) {
    /** The settings of the upstreams of a group, where {@code this} are the server's. */
    public PoolSettings of(UpstreamGroup group) {
        return new PoolSettings(
                group.pool().orElse(limits), group.outlierEjection().orElse(ejection));
    }
}
