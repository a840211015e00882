package io.webproxy.undertow.upstream;

import io.webproxy.route.OutlierEjection;
import io.webproxy.route.PoolLimits;
import io.webproxy.route.UpstreamGroup;

/**
 * The settings of one upstream's pool.
 *
 * @param limits of its connections
 * @param ejection after how many failed connects it is skipped; shares of failures are the groups', not the pool's
 */
public record PoolSettings(PoolLimits limits, OutlierEjection ejection) {
    /** Those of a group's upstreams, if these are the server's. */
    public PoolSettings of(UpstreamGroup group) {
        return new PoolSettings(
                group.pool().orElse(limits), group.outlierEjection().orElse(ejection));
    }
}
