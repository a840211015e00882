package io.webproxy.tls;

import io.webproxy.spi.ClientHelloData;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The first message of a client in a TLS handshake (RFC 8446 section 4.1.2), as far as it matters for the choice of a
 * certificate. Made by the engine; immutable.
 */
public sealed interface ClientHello permits ClientHelloData {
    /**
     * The host name that it asks for (RFC 6066 section 3) in lower case, without a final dot; empty if it sends none,
     * as clients do that connect to an IP address.
     */
    Optional<String> serverName();

    /** The protocols that it offers by ALPN (RFC 7301), in order. */
    List<String> applicationProtocols();

    /** The local address and port that it connected to. */
    InetSocketAddress localAddress();

    /** The key types whose signatures it can verify, of {@code EC} and {@code RSA}. */
    Set<String> keyTypes();

    /**
     * Whether the client can use a key of this type; types other than EC and RSA count as usable, because the
     * ClientHello isn't evaluated for them.
     */
    default boolean canUse(String keyType) {
        return switch (keyType) {
            case "RSA", "RSASSA-PSS" -> keyTypes().contains("RSA");
            case "EC" -> keyTypes().contains("EC");
            default -> true;
        };
    }

    /** The same without a server name: providers then choose their default. */
    ClientHello withoutServerName();
}
