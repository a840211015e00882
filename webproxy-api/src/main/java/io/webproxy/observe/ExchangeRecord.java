package io.webproxy.observe;

import io.webproxy.spi.ExchangeData;
import io.webproxy.timeout.TimeoutClass;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/** What became of one exchange. Made by the engine; immutable. */
public sealed interface ExchangeRecord permits ExchangeData {
    /** What names the request here, at the upstream ({@code X-Request-Id}) and in the log. */
    String requestId();

    /** When the request head was complete. */
    Instant start();

    /** The client's address: the peer's, or the one that a trusted proxy named. */
    InetAddress client();

    /** Who was authenticated; empty if no one was. */
    Optional<String> user();

    /** As it came; {@code GET} for a WebSocket over HTTP/2, which comes as an extended CONNECT (RFC 8441). */
    String method();

    /** {@code http} or {@code https}: how the client reached this server, or the trusted proxy that has said so. */
    String scheme();

    /** As the client gave it. */
    String authority();

    /** Undecoded, without the query. */
    String path();

    /** Undecoded, empty when there is none; it may hold secrets, so it belongs in no log above DEBUG. */
    String query();

    /** Of the client's side: {@code HTTP/1.0}, {@code HTTP/1.1} or {@code HTTP/2.0}; the last in cleartext too. */
    String protocol();

    /** The route's name; empty when none matched. */
    Optional<String> route();

    /** {@code host:port} of the upstream that answered or failed last; empty when the request was sent to none. */
    Optional<String> upstream();

    /** Of the upstream's side: {@code HTTP/1.1} or {@code HTTP/2.0}; empty when no upstream was sent the request. */
    Optional<String> upstreamProtocol();

    /**
     * What the client was sent; 499 when it left before an answer; 101 for an open WebSocket, over HTTP/2 too, where
     * 200 is sent for it.
     */
    int status();

    /** Whether the proxy gave the answer itself, by configuration or because of an error. */
    boolean proxyAnswered();

    /** The class that the request chose. */
    TimeoutClass startClass();

    /** The class at the end. */
    TimeoutClass endClass();

    /** Request-body bytes from the client. */
    long bytesIn();

    /** Response-body bytes towards the client, heartbeats included. */
    long bytesOut();

    /** How long the wait for an upstream connection was, zero for a pooled one. */
    Duration connect();

    /** From the start to the complete response head; empty when none came. */
    Optional<Duration> firstByte();

    /** From the start to the end. */
    Duration total();

    /** Which leg failed; empty if none did. */
    Optional<ForwardError> error();

    /** The {@code grpc-status} that the client was sent; empty when there was none. */
    Optional<Integer> grpcStatus();

    /** The client's {@code User-Agent}; empty if it sent none. */
    Optional<String> userAgent();

    /** The client's {@code Referer}; empty if it sent none. */
    Optional<String> referer();

    /** What a filter of the route has added. */
    Map<String, String> tags();
}
