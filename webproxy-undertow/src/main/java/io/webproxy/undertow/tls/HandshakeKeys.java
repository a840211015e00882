package io.webproxy.undertow.tls;

import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is served in one handshake: chosen when a key manager is first asked, and the same to the handshake's end, whatever is swapped meanwhile. TLS
 * implementations tell key managers too little, and differently much; so this is kept for the thread while an engine works.
 *
 * <p>Not thread-safe: it belongs to its engine.
 */
final class HandshakeKeys {
    /** Of a client of which nothing is known. */
    static final ClientHello UNKNOWN =
            new ClientHello(Optional.empty(), List.of(), new InetSocketAddress(0), Set.of("EC", "RSA"));

    private static final ThreadLocal<@Nullable HandshakeKeys> CURRENT = new ThreadLocal<>();

    private final ClientHello hello;
    private @Nullable List<KeyMaterial> chosen;

    HandshakeKeys(ClientHello hello) {
        this.hello = hello;
    }

    /** Those of the engine that works on this thread; of an unknown client if it was told nothing. */
    static HandshakeKeys current() {
        HandshakeKeys current = CURRENT.get();
        return current == null ? new HandshakeKeys(UNKNOWN) : current;
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
     * The key of a type, or null if there is none that this client should be given: then a key manager is asked for the next type.
     */
    @Nullable KeyMaterial ofType(String keyType, KeyChooser chooser) {
        List<KeyMaterial> candidates = chosen;
        if (candidates == null) {
            try {
                candidates = chooser.choose(hello);
            } catch (AskedProvider.Failed e) {
                // it has been logged
                candidates = List.of();
            }
            chosen = candidates;
        }
        for (KeyMaterial candidate : candidates) {
            // Conscrypt asks for all types and serves the last it gets: that mustn't be one that the client can't use
            if (candidate.keyType().equals(keyType) && (candidates.size() == 1 || hello.canUse(keyType))) {
                return candidate;
            }
        }
        return null;
    }
}
