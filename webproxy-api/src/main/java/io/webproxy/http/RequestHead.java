package io.webproxy.http;

import java.net.InetAddress;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;

/**
 * A read-only view of a request's start line and fields.
 *
 * <p>A WebSocket over HTTP/2 (RFC 8441) is shown as the equivalent HTTP/1.1 handshake: {@code GET} with
 * {@code Connection: Upgrade} and {@code Upgrade: websocket}; its {@link #protocol()} is {@code HTTP/2.0}.
 *
 * <p>Field names are case-insensitive (RFC 9110 section 5.1). The view is valid until the method that received it
 * returns or, if that method returns a stage, until the stage completes. Until then any thread may read it, one at a
 * time.
 */
public interface RequestHead {
    /** The method as received, such as {@code GET} (RFC 9110 section 9). */
    String method();

    /** {@code http} or {@code https}: how the client reached this server, or the trusted proxy that has said so. */
    String scheme();

    /** The authority that the client asked for: {@code Host} or {@code :authority}, with a port when it named one. */
    String authority();

    /**
     * The path as received, undecoded, without the query; it starts with {@code /}, or is {@code *}. The same path can
     * be written in many ways, such as {@code /%61dmin} for {@code /admin}: leave access control to routes, which use
     * its normal form.
     */
    String path();

    /** The query as received, undecoded, without the question mark; empty if there is none, or nothing in it. */
    String query();

    /** {@code HTTP/1.0}, {@code HTTP/1.1} or {@code HTTP/2.0}; the last in cleartext too. */
    String protocol();

    /** The address of the client: the peer's, or the one that a trusted proxy named. */
    InetAddress clientAddress();

    /** The first value of a field; empty when the request has none. */
    Optional<String> header(String name);

    /** All values of a field in order, the 100th and later ones joined into one; empty when the request has none. */
    List<String> headers(String name);

    /**
     * The names of all fields, each once, spelled as received: in lower case over HTTP/2. Their order means nothing
     * (RFC 9110 section 5.3).
     */
    default List<String> headerNames() {
        return List.of();
    }

    /**
     * The authenticated user; empty before authentication, without one, or if the authenticator named none. Conditions
     * of routes, timeout classifiers and authenticators see a request before that.
     */
    default Optional<String> user() {
        return Optional.empty();
    }

    /** The request's id here, at the upstream ({@code X-Request-Id}), in the record and in the log. */
    default String requestId() {
        return "";
    }

    /**
     * The client's own certificate, verified in the TLS handshake; empty if it sent none, or wasn't asked for one. What
     * a trusted proxy says about its client's certificate is a field like others.
     */
    default Optional<X509Certificate> clientCertificate() {
        return Optional.empty();
    }
}
