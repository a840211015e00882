package io.webproxy.http;

import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/**
 * A read-only view of a request's start line and fields.
 *
 * <p>A WebSocket over HTTP/2 (RFC 8441) is shown as the handshake of HTTP/1.1 that it stands for: {@code GET} with
 * {@code Connection: Upgrade} and {@code Upgrade: websocket}; its {@link #protocol()} is {@code HTTP/2.0}.
 *
 * <p>Field names are case-insensitive (RFC 9110 section 5.1). The view is valid until the decision is made that it was
 * handed out for: until the method returns that was handed it, or until the stage completes that this method has
 * returned. Up to then any thread may read it, one at a time.
 */
public interface RequestHead {
    /** The method as it came, such as {@code GET} (RFC 9110 section 9). */
    String method();

    /** {@code http} or {@code https}: how the client reached this server, or the trusted proxy that has said so. */
    String scheme();

    /** The authority that the client asked for: {@code Host} or {@code :authority}, with a port when it named one. */
    String authority();

    /**
     * The path as it came, undecoded, without the query; it starts with {@code /}, or is {@code *}. A client may write
     * the same path in many ways, {@code /%61dmin} for {@code /admin}: who may see what is for routes to say, which go
     * by its normal form.
     */
    String path();

    /** The query as it came, undecoded, without the question mark; empty when there is none, or nothing in it. */
    String query();

    /** {@code HTTP/1.0}, {@code HTTP/1.1} or {@code HTTP/2.0}; the last in cleartext too. */
    String protocol();

    /** The address of the client: the peer's, or the one that a trusted proxy named. */
    InetAddress clientAddress();

    /** The first value of a field; empty when the request has none. */
    Optional<String> header(String name);

    /** All values of a field in order, the 100th and later ones joined into one; empty when the request has none. */
    List<String> headers(String name);
}
