package io.webproxy.port;

import java.net.InetSocketAddress;
import java.util.Objects;

/**
 * A bound address and what it speaks.
 *
 * @param address where it listens; the port is the real one, never 0
 * @param protocol what clients speak there
 */
public record Endpoint(InetSocketAddress address, Protocol protocol) {
    /** What an endpoint speaks. */
    public enum Protocol {
        /** HTTP/1.1 in clear. */
        HTTP("http"),
        /** HTTP/1.1 and HTTP/2 over TLS; HTTP in clear gets a redirect. */
        HTTPS("https"),
        /** HTTP/1.1 in clear, answered with a redirect to the HTTPS endpoint. */
        REDIRECT("http");

        private final String scheme;

        Protocol(String scheme) {
            this.scheme = scheme;
        }

        /** {@code http} or {@code https}. */
        public String scheme() {
            return scheme;
        }
    }

    /** Checks that neither part is null. */
    public Endpoint {
        Objects.requireNonNull(address, "address");
        Objects.requireNonNull(protocol, "protocol");
    }
}
