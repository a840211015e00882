package io.webproxy.tls;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * What a client says at the begin of a TLS handshake (RFC 8446 section 4.1.2), as far as it matters for the choice of a
 * certificate. Immutable.
 *
 * @param serverName the host name that it asks for (RFC 6066 section 3) in lower case, without a dot at its end; empty
 *     if it names none, as clients do that connect to an IP address
 * @param applicationProtocols what it offers by ALPN (RFC 7301), in its order
 * @param localAddress the address and port that it has reached
 * @param keyTypes the kinds of keys whose signatures it can verify, of {@code EC} and {@code RSA}
 */
public record ClientHello(
        Optional<String> serverName,
        List<String> applicationProtocols,
        InetSocketAddress localAddress,
        Set<String> keyTypes) {
    /** Copies the collections. */
    public ClientHello {
        Objects.requireNonNull(serverName, "serverName");
        applicationProtocols = List.copyOf(applicationProtocols);
        Objects.requireNonNull(localAddress, "localAddress");
        keyTypes = Set.copyOf(keyTypes);
    }

    /**
     * Whether the client can use a key of this type; it is asked about no other kind than EC and RSA, so others are
     * taken to be usable.
     */
    public boolean canUse(String keyType) {
        return switch (keyType) {
            case "RSA", "RSASSA-PSS" -> keyTypes.contains("RSA");
            case "EC" -> keyTypes.contains("EC");
            default -> true;
        };
    }

    /** The same from a client that names no host: for it a provider chooses what it serves by default. */
    public ClientHello withoutServerName() {
        return new ClientHello(Optional.empty(), applicationProtocols, localAddress, keyTypes);
    }
}
