package io.webproxy.spi;

import io.webproxy.ProxyStatus;

/** The status of the connections to an upstream. The parameters are those of {@link ProxyStatus.Pool}. */
public record PoolData(int open, int idle, int waiting, boolean ejected, boolean healthy) implements ProxyStatus.Pool {
    @Override
    public String toString() {
        return Text.of("Pool", "open", open, "idle", idle, "waiting", waiting, "ejected", ejected, "healthy", healthy);
    }
}
