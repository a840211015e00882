package io.webproxy.undertow.tls.engine;

import io.webproxy.spi.ClientHelloData;
import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is served in one handshake, whatever is swapped meanwhile. TLS implementations tell key managers too little, and
 * differently much; so this is chosen by the peeked hello, and kept for the thread while an engine works. Immutable.
 *
 * @param hello what the client has said
 * @param candidates what fits it
 */
public record HandshakeKeys(ClientHello hello, List<KeyMaterial> candidates) {
    /** Of a client of which nothing is known. */
    public static final ClientHello UNKNOWN =
            new ClientHelloData(Optional.empty(), List.of(), new InetSocketAddress(0), Set.of("EC", "RSA"));

    private static final ThreadLocal<@Nullable HandshakeKeys> CURRENT = new ThreadLocal<>();

    /** Those of the engine that works on this thread; null if it was told nothing. */
    public static @Nullable HandshakeKeys current() {
        return CURRENT.get();
    }

    /** An engine works on this thread from now on, until {@link #leave}. */
    static void enter(@Nullable HandshakeKeys keys) {
        if (keys != null) {
            CURRENT.set(keys);
        }
    }

    static void leave(@Nullable HandshakeKeys keys) {
        if (keys != null) {
            CURRENT.remove();
        }
    }

    /**
     * The key of a type, or null if there is none that this client should be given: then a key manager is asked for the
     * next type.
     */
    public @Nullable KeyMaterial ofType(String keyType) {
        for (KeyMaterial candidate : candidates) {
            // Conscrypt 2.9.0 asks for all types and serves the last it gets: that mustn't be one that the client can't
            // use; canary:
            // ConscryptDefectsTest.keysOfAllTypesAreAskedForAndNoProtocolIsKnown
            if (candidate.keyType().equals(keyType) && (candidates.size() == 1 || hello.canUse(keyType))) {
                return candidate;
            }
        }
        return null;
    }
}
