package io.webproxy.port;

import io.webproxy.spi.EndpointData;
import java.net.InetSocketAddress;

/** A bound address and its protocol. Made by the engine; immutable. */
public sealed interface Endpoint permits EndpointData {
    /** Where it listens; the port is the real one, never 0. */
    InetSocketAddress address();

    /** The protocol. */
    Protocol protocol();

    /** The name in status, events and logs. */
    String name();

    /** The protocol of an endpoint. */
    enum Protocol {
        /** Cleartext HTTP/1.1, and HTTP/2 by prior knowledge (RFC 9113 section 3.3). */
        HTTP("http"),
        /** HTTP/2 and HTTP/1.1 over TLS; cleartext HTTP is redirected. */
        HTTPS("https"),
        /** Cleartext HTTP as for {@link #HTTP}, answered with a redirect to the HTTPS endpoint. */
        REDIRECT("http"),
        /** Several protocols, distinguished by rules. */
        RULES("tcp");

        private final String scheme;

        Protocol(String scheme) {
            this.scheme = scheme;
        }

        /** {@code http}, {@code https}, or {@code tcp} for an endpoint with rules. */
        public String scheme() {
            return scheme;
        }
    }
}
