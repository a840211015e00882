package io.webproxy.port;

import java.net.InetSocketAddress;
import java.util.Objects;

/**
 * A bound address and what it speaks.
 *
 * @param address where it listens; the port is the real one, never 0
 * @param protocol what clients speak there
 * @param name what it is called in status, events and logs
 */
public record Endpoint(InetSocketAddress address, Protocol protocol, String name) {
    /** What an endpoint speaks. */
    public enum Protocol {
        /** Cleartext HTTP/1.1, and HTTP/2 by prior knowledge (RFC 9113 section 3.3). */
        HTTP("http"),
        /** HTTP/2 and HTTP/1.1 over TLS; cleartext HTTP gets a redirect. */
        HTTPS("https"),
        /** Cleartext HTTP as for {@link #HTTP}, answered with a redirect to the HTTPS endpoint. */
        REDIRECT("http"),
        /** Several protocols, told apart by rules. */
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

    /** Checks that no part is null. */
    public Endpoint {
        Objects.requireNonNull(address, "address");
        Objects.requireNonNull(protocol, "protocol");
        Objects.requireNonNull(name, "name");
    }
}
