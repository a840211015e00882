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
 * The keys for one handshake, unaffected by later updates. TLS implementations give key managers too little
 * information, and not the same. So the keys are chosen by the peeked ClientHello, and kept for the thread while an
 * engine works on it. Immutable.
 *
 * @param hello the ClientHello
 * @param candidates keys that fit it
 */
public record HandshakeKeys(ClientHello hello, List<KeyMaterial> candidates) {
    /** The ClientHello of a client about which nothing is known. */
    public static final ClientHello UNKNOWN =
            new ClientHelloData(Optional.empty(), List.of(), new InetSocketAddress(0), Set.of("EC", "RSA"));

    private static final ThreadLocal<@Nullable HandshakeKeys> CURRENT = new ThreadLocal<>();

    /** The keys of the engine that works on this thread; null if it has none. */
    public static @Nullable HandshakeKeys current() {
        return CURRENT.get();
    }

    /** An engine starts to work on this thread, until {@link #leave}. */
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

    /** The key of a type, or null if there is none for this client: a key manager is then asked for the next type. */
    public @Nullable KeyMaterial ofType(String keyType) {
        for (KeyMaterial candidate : candidates) {
            // Conscrypt 2.9.0 asks for all types and serves the last key it gets: the client must be able to use that;
            // canary: ConscryptDefectsTest.keysOfAllTypesAreAskedForAndNoProtocolIsKnown
            if (candidate.keyType().equals(keyType) && (candidates.size() == 1 || hello.canUse(keyType))) {
                return candidate;
            }
        }
        return null;
    }
}
