package io.webproxy.observe;

/** Why an exchange failed; an exchange that succeeded, or that the proxy answered by configuration, has no error. */
public enum ForwardError {
    /** The upstream refused the connection; the client sees 502. */
    CONNECT_REFUSED,
    /** There is no way to the upstream's address; the client sees 502. */
    CONNECT_UNREACHABLE,
    /** The upstream's name has no address; the client sees 502. */
    DNS,
    /** The upstream didn't accept the connection, or TLS, in time; the client sees 504. */
    CONNECT_TIMEOUT,
    /**
     * TLS to the upstream failed: a certificate that isn't trusted, by either side, a wrong name, no common version;
     * the client sees 502.
     */
    CONNECT_TLS,
    /** No upstream of the route is usable; the client gets 503. */
    NO_HEALTHY_UPSTREAM,
    /**
     * All connections to the upstream are in use and the queue is full or too slow, or the process has no room for
     * another connection; the client sees 503.
     */
    POOL_EXHAUSTED,
    /**
     * HTTP/2 is needed, for a gRPC call or because the upstream is configured as {@code h2c://}, but the upstream
     * answers in another protocol, or is configured for HTTP/1.1. The request couldn't be retried on another upstream;
     * the client sees 502, or {@code grpc-status} 14.
     */
    UPSTREAM_PROTOCOL,
    /** The upstream closed before its response, and the request couldn't be retried; the client sees 502. */
    UPSTREAM_CLOSED,
    /** The upstream's response isn't valid HTTP/1.1 (RFC 9112) or HTTP/2 (RFC 9113); the client sees 502. */
    INVALID_RESPONSE,
    /** The upstream's response head is above the limit; the client sees 502. */
    RESPONSE_HEAD_TOO_LARGE,
    /** The limit until the response head, the timeout class's or one of its own, ran out; the client sees 504. */
    RESPONSE_HEAD_TIMEOUT,
    /** The upstream ended its response body too early; the client sees an abort. */
    RESPONSE_BODY_TRUNCATED,
    /**
     * After the response head, both sides stayed silent longer than the timeout class allows, or no event came in an
     * event stream for longer than the limit of that, which is off unless configured; the client sees an abort.
     */
    RESPONSE_BODY_IDLE,
    /**
     * The limit of the whole exchange, which is off unless configured, ran out; the client sees 504, or an abort after
     * the response head.
     */
    TOTAL_TIMEOUT,
    /** The client went away; logged as 499. */
    CLIENT_ABORTED,
    /**
     * Code of the application failed, a route's filter, its answer or its balancing, or an authenticator; the client
     * sees 500.
     */
    APPLICATION_FAILED,
    /** The request broke a rule of the protocol or a limit; the client sees 4xx or 5xx. */
    REQUEST_REJECTED
}
