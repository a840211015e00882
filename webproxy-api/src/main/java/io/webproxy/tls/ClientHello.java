package io.webproxy.tls;

import io.webproxy.spi.ClientHelloData;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a client says first in a TLS handshake (RFC 8446 section 4.1.2), as far as it matters for the choice of a
 * certificate. Made by the engine; immutable.
 */
public sealed interface ClientHello permits ClientHelloData {
    /**
     * The host name that it asks for (RFC 6066 section 3) in lower case, without a dot at its end; empty if it names
     * none, as clients do that connect to an IP address.
     */
    Optional<String> serverName();

    /** What it offers by ALPN (RFC 7301), in its order. */
    List<String> applicationProtocols();

    /** The address and port that it has reached. */
    InetSocketAddress localAddress();

    /** The kinds of keys whose signatures it can verify, of {@code EC} and {@code RSA}. */
    Set<String> keyTypes();

    /**
     * Whether the client can use a key of this type; it is asked about no other kind than EC and RSA, so others are
     * taken to be usable.
     */
    default boolean canUse(String keyType) {
        return switch (keyType) {
            case "RSA", "RSASSA-PSS" -> keyTypes().contains("RSA");
            case "EC" -> keyTypes().contains("EC");
            default -> true;
        };
    }

    /** The same from a client that names no host: for it a provider chooses what it serves by default. */
    ClientHello withoutServerName();
}
