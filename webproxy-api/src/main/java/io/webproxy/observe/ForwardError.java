package io.webproxy.observe;

/** Why an exchange failed; an exchange that succeeded, or that the proxy answered by configuration, has no error. */
public enum ForwardError {
    /** The upstream refused the connection; the client sees 502. */
    CONNECT_REFUSED("start the upstream, or correct its port"),
    /** There is no way to the upstream's address; the client sees 502. */
    CONNECT_UNREACHABLE("correct the upstream's address, or the network and firewall between"),
    /** The upstream's name has no address; the client sees 502. */
    DNS("correct the upstream's name, or the name servers of this machine"),
    /** The upstream didn't accept the connection, or TLS, in time; the client sees 504. */
    CONNECT_TIMEOUT("see whether a firewall drops packets to the upstream or it is overloaded, or raise the limit of a"
            + " connect"),
    /**
     * TLS to the upstream failed: a certificate that isn't trusted, by either side, a wrong name, no common version;
     * the client sees 502.
     */
    CONNECT_TLS(
            "give the upstream a trust store with its certificate's issuer, an address that its certificate names, or"
                    + " the client certificate that it asks for"),
    /** No upstream of the route is usable; the client gets 503. */
    NO_HEALTHY_UPSTREAM("see why each upstream of the route is down, in its own log line or its health check"),
    /**
     * All connections to the upstream are in use and the queue is full or too slow, or the process has no room for
     * another connection; the client sees 503.
     */
    POOL_EXHAUSTED(
            "raise the limits of its pool, add upstreams, or see what keeps them from answering faster; raise the"
                    + " process's limit of open files if that is what runs out"),
    /**
     * HTTP/2 is needed, for a gRPC call or because the upstream is configured as {@code h2c://}, but the upstream
     * answers in another protocol, or is configured for HTTP/1.1. The request couldn't be retried on another upstream;
     * the client sees 502, or {@code grpc-status} 14.
     */
    UPSTREAM_PROTOCOL("write the upstream as h2c:// or https+h2:// if it speaks HTTP/2, else as http:// or https://"),
    /** The upstream closed before its response, and the request couldn't be retried; the client sees 502. */
    UPSTREAM_CLOSED("see the upstream's log for a crash, a restart or a limit of its own"),
    /** The upstream's response isn't valid HTTP/1.1 (RFC 9112) or HTTP/2 (RFC 9113); the client sees 502. */
    INVALID_RESPONSE("correct what the upstream sends, or declare it lenient, which admits some of it"),
    /** The upstream's response head is above the limit; the client sees 502. */
    RESPONSE_HEAD_TOO_LARGE(
            "send smaller header fields from the upstream, mostly cookies, or raise the limits of response heads"),
    /** The limit until the response head, the timeout class's or one of its own, ran out; the client sees 504. */
    RESPONSE_HEAD_TIMEOUT("see why the upstream takes so long, or raise the limit of the exchange's timeout class"),
    /** The upstream ended its response body too early; the client sees an abort. */
    RESPONSE_BODY_TRUNCATED("see the upstream's log for why it broke off its response"),
    /**
     * After the response head, both sides stayed silent longer than the timeout class allows, or no event came in an
     * event stream for longer than the limit of that, which is off unless configured; the client sees an abort.
     */
    RESPONSE_BODY_IDLE(
            "send something from the upstream in the meantime, such as a comment in an event stream, or raise the"
                    + " limit of the exchange's timeout class"),
    /**
     * The limit of the whole exchange, which is off unless configured, ran out; the client sees 504, or an abort after
     * the response head.
     */
    TOTAL_TIMEOUT("make the exchange shorter, or raise the limit of the whole one"),
    /** The client went away; logged as 499. */
    CLIENT_ABORTED("nothing, unless many do so: then the response took longer than clients wait"),
    /**
     * Code of the application failed, a route's filter, its answer or its balancing, or an authenticator; the client
     * sees 500.
     */
    APPLICATION_FAILED(
            "correct the code that threw the logged exception: a filter, an answer, a balancing or an authenticator"),
    /** The request broke a rule of the protocol or a limit; the client sees 4xx or 5xx. */
    REQUEST_REJECTED(
            "correct the request; if it is legitimate and too large or too frequent, raise the limit that the answer"
                    + " names");

    private final String advice;

    ForwardError(String advice) {
        this.advice = advice;
    }

    /** What a person can do about it: a clause for a log line or a page, without a capital and a full stop. */
    public String advice() {
        return advice;
    }
}
