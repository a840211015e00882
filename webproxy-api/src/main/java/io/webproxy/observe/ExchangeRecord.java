package io.webproxy.observe;

import io.webproxy.spi.ExchangeData;
import io.webproxy.timeout.TimeoutClass;
import java.net.InetAddress;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/** The record of one exchange. Made by the engine; immutable. */
public sealed interface ExchangeRecord permits ExchangeData {
    /** The request's id here, at the upstream ({@code X-Request-Id}) and in the log. */
    String requestId();

    /** When the request head was complete. */
    Instant start();

    /** The client's address: the peer's, or the one that a trusted proxy named. */
    InetAddress client();

    /** The authenticated user; empty if there is none. */
    Optional<String> user();

    /** The client's own certificate, verified in the TLS handshake; empty if there is none. */
    Optional<X509Certificate> clientCertificate();

    /**
     * The method as received; {@code GET} for a WebSocket over HTTP/2, which arrives as an extended CONNECT (RFC 8441).
     */
    String method();

    /** {@code http} or {@code https}: how the client reached this server, or the trusted proxy that has said so. */
    String scheme();

    /** The authority as the client sent it. */
    String authority();

    /** The path, undecoded, without the query. */
    String path();

    /** The query, undecoded; empty if there is none. It may contain secrets, so log it at DEBUG at most. */
    String query();

    /** Of the client's side: {@code HTTP/1.0}, {@code HTTP/1.1} or {@code HTTP/2.0}; the last in cleartext too. */
    String protocol();

    /** The route's name; empty when none matched. */
    Optional<String> route();

    /**
     * The upstream that answered or failed last, such as {@code http://10.0.0.7:8000}; empty when the request was sent
     * to none.
     */
    Optional<String> upstream();

    /** Of the upstream's side: {@code HTTP/1.1} or {@code HTTP/2.0}; empty when no upstream was sent the request. */
    Optional<String> upstreamProtocol();

    /**
     * The status that the client got; 499 if it left before a response; 101 for an open WebSocket, also over HTTP/2,
     * where 200 is sent for it.
     */
    int status();

    /** Whether the proxy made the response itself, by configuration or because of an error. */
    boolean proxyAnswered();

    /** The class chosen by the request. */
    TimeoutClass startClass();

    /** The class at the end. */
    TimeoutClass endClass();

    /** Request-body bytes from the client. */
    long bytesIn();

    /** Response-body bytes towards the client, heartbeats included. */
    long bytesOut();

    /**
     * How many times an upstream was chosen for the request: 1 without a retry, 0 if the server answered itself. Failed
     * connects count.
     */
    int attempts();

    /** How long the exchange waited for an upstream connection; zero for a pooled one. */
    Duration connect();

    /** From the start to the complete response head; empty when none came. */
    Optional<Duration> firstByte();

    /** From the start to the end. */
    Duration total();

    /**
     * What failed; empty if nothing did. An answer by configuration is no failure: a redirect, a 404 without a route,
     * and a 401 or 403 of an authenticator or address list, for which {@link #proxyAnswered()} is true.
     */
    Optional<ForwardError> error();

    /** The {@code grpc-status} that the client was sent; empty when there was none. */
    Optional<Integer> grpcStatus();

    /** The client's {@code User-Agent}; empty if it sent none. */
    Optional<String> userAgent();

    /** The client's {@code Referer}; empty if it sent none. */
    Optional<String> referer();

    /**
     * The client's {@code traceparent} (W3C Trace Context), which the upstream gets as it came; unchecked, and empty if
     * it sent none.
     */
    Optional<String> traceParent();

    /** The client's {@code tracestate}, several fields joined by commas; unchecked, and empty if it sent none. */
    Optional<String> traceState();

    /** The tags added by the route's filter. */
    Map<String, String> tags();
}
