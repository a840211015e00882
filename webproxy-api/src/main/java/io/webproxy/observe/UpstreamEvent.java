package io.webproxy.observe;

import java.util.Objects;
import java.util.Optional;

/**
 * An upstream has failed, or has come back. There is at most one {@link Kind#FAILED} or {@link Kind#DOWN} a minute for
 * each upstream, and one {@link Kind#UP} after it; {@code ProxyServer.status()} tells the state of now, but for
 * upstreams that a {@code FailureShare} makes one route skip.
 *
 * @param kind what
 * @param upstream such as {@code http://10.0.0.7:8000}
 * @param error the leg that failed, as the record of an exchange names it; empty for {@link Kind#UP} and where answers
 *     or health checks were at fault
 * @param detail one sentence, which names the upstream; the same that is logged
 */
public record UpstreamEvent(Kind kind, String upstream, Optional<ForwardError> error, String detail) {
    /** Nothing is null. */
    public UpstreamEvent {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(upstream, "upstream");
        Objects.requireNonNull(error, "error");
        Objects.requireNonNull(detail, "detail");
    }

    /** What can happen. */
    public enum Kind {
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
