package io.webproxy.port;

import io.webproxy.spi.EndpointData;
import java.net.InetSocketAddress;

/** A bound address and its protocol. Made by the engine; immutable. */
public sealed interface Endpoint permits EndpointData {
    /** Where it listens; the port is the real one, never 0. */
    InetSocketAddress address();

    /**
     * {@code https}: HTTP/2 and HTTP/1.1 over TLS, with cleartext HTTP redirected; {@code http}: cleartext HTTP/1.1,
     * and HTTP/2 by prior knowledge (RFC 9113 section 3.3); {@code redirect}: the same, answered with a redirect to the
     * HTTPS endpoint; {@code rules}: several protocols, distinguished by rules.
     */
    String protocol();

    /** The name in status, events and logs. */
    String name();
}
