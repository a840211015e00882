package io.webproxy.observe;

import io.webproxy.spi.UpstreamEventData;
import java.util.Optional;

/**
 * An upstream has failed, or has recovered. There is at most one {@link Kind#FAILED} or {@link Kind#DOWN} a minute for
 * each upstream, and one {@link Kind#UP} after it; {@code ProxyServer.status()} has the current state, except for
 * upstreams that a group has ejected for a share of failures. Made by the engine; immutable.
 */
public sealed interface UpstreamEvent permits UpstreamEventData {
    /** What has happened. */
    Kind kind();

    /** Such as {@code http://10.0.0.7:8000}. */
    String upstream();

    /**
     * The error, as in the record of an exchange; empty for {@link Kind#UP}, and if responses or health checks were the
     * reason.
     */
    Optional<ForwardError> error();

    /** One sentence, which names the upstream; the same that is logged. */
    String detail();

    /** What can happen. */
    enum Kind {
        /** A connection or a response failed; it still gets requests. */
        FAILED,
        /**
         * It gets no requests as long as another upstream of the route can take them, or none at all because of its
         * health check.
         */
        DOWN,
        /** It can be used again. */
        UP
    }
}
