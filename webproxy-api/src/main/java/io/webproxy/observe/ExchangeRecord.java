package io.webproxy.observe;

import io.webproxy.timeout.TimeoutClass;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What became of one exchange.
 *
 * @param requestId what names the request here, at the upstream ({@code X-Request-Id}) and in the log
 * @param start when the request head was complete
 * @param client the client's address: the peer's, or the one that a trusted proxy named
 * @param user who was authenticated, or null
 * @param method as it came; {@code GET} for a WebSocket over HTTP/2, which comes as an extended CONNECT (RFC 8441)
 * @param scheme {@code http} or {@code https}: how the client reached this server, or the trusted proxy that has said
 *     so
 * @param authority as the client gave it
 * @param path undecoded, without the query
 * @param query undecoded, empty when there is none; it may hold secrets, so it belongs in no log above DEBUG
 * @param protocol of the client's side: {@code HTTP/1.0}, {@code HTTP/1.1} or {@code HTTP/2.0}; the last in cleartext
 *     too
 * @param route the route's name, or null when none matched
 * @param upstream {@code host:port} of the upstream that answered or failed last, or null when none was asked
 * @param upstreamProtocol of the upstream's side: {@code HTTP/1.1} or {@code HTTP/2.0}, or null when no upstream was
 *     sent the request
 * @param status what the client was sent; 499 when it left before an answer; 101 for an open WebSocket, over HTTP/2
 *     too, where 200 is sent for it
 * @param proxyAnswered whether the proxy gave the answer itself, by configuration or because of an error
 * @param startClass the class that the request chose
 * @param endClass the class at the end
 * @param bytesIn request-body bytes from the client
 * @param bytesOut response-body bytes towards the client, heartbeats included
 * @param connect how long the wait for an upstream connection was, zero for a pooled one
 * @param firstByte from the start to the complete response head, or null when none came
 * @param total from the start to the end
 * @param error which leg failed, or null
 * @param grpcStatus the {@code grpc-status} that the client was sent, or null when there was none
 * @param userAgent the client's {@code User-Agent}, or null
 * @param referer the client's {@code Referer}, or null
 * @param tags what a filter of the route has added
 */
public record ExchangeRecord(
        String requestId,
        Instant start,
        InetAddress client,
        @Nullable String user,
        String method,
        String scheme,
        String authority,
        String path,
        String query,
        String protocol,
        @Nullable String route,
        @Nullable String upstream,
        @Nullable String upstreamProtocol,
        int status,
        boolean proxyAnswered,
        TimeoutClass startClass,
        TimeoutClass endClass,
        long bytesIn,
        long bytesOut,
        Duration connect,
        @Nullable Duration firstByte,
        Duration total,
        @Nullable ForwardError error,
        @Nullable Integer grpcStatus,
        @Nullable String userAgent,
        @Nullable String referer,
        Map<String, String> tags) {
    /** Without the query, the user agent and the referrer, which may hold secrets. */
    @Override
    public String toString() {
        return "ExchangeRecord[" + requestId + " " + method + " " + scheme + "://" + authority + path + " " + protocol
                + " " + status + (grpcStatus == null ? "" : " grpc-status=" + grpcStatus)
                + (error == null ? "" : " " + error) + " route=" + route + " upstream=" + upstream + " class="
                + startClass + "->" + endClass + " in=" + bytesIn + " out=" + bytesOut + " total=" + total + "]";
    }
}
