package io.webproxy.observe;

import io.webproxy.spi.UpstreamEventData;
import java.util.Optional;

/**
 * An upstream has failed, or has recovered: the method of {@link ProxyObserver} says which.
 * {@link ProxyObserver#upstreamDown} comes at once, and once until the upstream is back. For each upstream there is at
 * most one {@link ProxyObserver#upstreamFailed} a minute, and one more for requests that it took and failed. After
 * either of the two comes one {@link ProxyObserver#upstreamUp}, but not for requests that it took and failed;
 * {@code ProxyServer.status()} has the current state, except for upstreams that a group has ejected for a share of
 * failures. Made by the engine; immutable.
 */
public sealed interface UpstreamEvent permits UpstreamEventData {
    /** Such as {@code http://10.0.0.7:8000}. */
    String upstream();

    /**
     * The error, as in the record of an exchange; empty if it is up again, and if responses or health checks were the
     * reason.
     */
    Optional<ForwardError> error();

    /** One sentence, which names the upstream; as it is logged, though the log has at most one line a minute. */
    String detail();
}
