package io.webproxy.observe;

import io.webproxy.spi.UpstreamEventData;
import java.util.Optional;

/**
 * An upstream has failed, or has come back. There is at most one {@link Kind#FAILED} or {@link Kind#DOWN} a minute for
 * each upstream, and one {@link Kind#UP} after it; {@code ProxyServer.status()} tells the state of now, but for
 * upstreams that a share of failures makes a group skip. Made by the engine; immutable.
 */
public sealed interface UpstreamEvent permits UpstreamEventData {
    /** What. */
    Kind kind();

    /** Such as {@code http://10.0.0.7:8000}. */
    String upstream();

    /**
     * The leg that failed, as the record of an exchange names it; empty for {@link Kind#UP} and where answers or health
     * checks were at fault.
     */
    Optional<ForwardError> error();

    /** One sentence, which names the upstream; the same that is logged. */
    String detail();

    /** What can happen. */
    enum Kind {
        /** It couldn't be connected to, or didn't answer as it should; it still gets requests. */
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
