package io.webproxy.undertow.tls;

import io.webproxy.http.IpLiteral;
import java.net.InetAddress;
import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the certificate by the name that the client asks for (RFC 6066 section 3), and swaps them while serving.
 *
 * <p>Thread-safe, never blocks: it runs on the IO thread. An alias keeps its key over one {@link #update}, for a
 * handshake that has chosen and not fetched yet.
 */
final class SniKeyManager extends X509ExtendedKeyManager {
    private volatile ServedKeys served;
    private volatile Map<String, KeyEntry> byAlias;

    /**
     * Serves these.
     *
     * @param entries at least one; the first is for those who ask for no name or an unknown one
     */
    SniKeyManager(List<KeyEntry> entries) {
        served = new ServedKeys(entries, 0);
        byAlias = served.byAlias();
    }

    /** Serves others from the next handshake on. */
    synchronized void update(List<KeyEntry> entries) {
        ServedKeys next = new ServedKeys(entries, served.generation() + 1);
        Map<String, KeyEntry> both = new HashMap<>(served.byAlias());
        both.putAll(next.byAlias());
        byAlias = Map.copyOf(both);
        served = next;
    }

    @Override
    public @Nullable String chooseEngineServerAlias(
            String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
        ServedKeys keys = served;
        if (engine == null || !(engine.getHandshakeSession() instanceof ExtendedSSLSession session)) {
            return keys.choose(null, null, keyType, ClientAbilities.of(new String[0]));
        }
        InetAddress local = engine.getPeerHost() == null ? null : IpLiteral.parse(engine.getPeerHost());
        ClientAbilities client = ClientAbilities.CURRENT.get();
        if (client == null) {
            client = ClientAbilities.of(session.getPeerSupportedSignatureAlgorithms());
        }
        return keys.choose(requestedName(session), local, keyType, client);
    }

    /** Whether a host has a certificate here, but not the one that this session's client was given. */
    boolean isMisdirected(ExtendedSSLSession session, @Nullable InetAddress local, String host) {
        ServedKeys keys = served;
        return !keys.isSingle() && keys.isMisdirected(requestedName(session), local, host);
    }

    private static @Nullable String requestedName(ExtendedSSLSession session) {
        for (SNIServerName name : session.getRequestedServerNames()) {
            if (name instanceof SNIHostName host) {
                return KeyEntry.canonical(host.getAsciiName());
            }
        }
        return null;
    }

    @Override
    public @Nullable PrivateKey getPrivateKey(String alias) {
        KeyEntry entry = byAlias.get(alias);
        return entry == null ? null : entry.key();
    }

    @Override
    public X509Certificate @Nullable [] getCertificateChain(String alias) {
        KeyEntry entry = byAlias.get(alias);
        return entry == null ? null : entry.chain().toArray(new X509Certificate[0]);
    }

    @Override
    public @Nullable String chooseServerAlias(String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return chooseEngineServerAlias(keyType, issuers, null);
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
        return served.aliases(keyType);
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
        return null;
    }

    @Override
    public @Nullable String chooseClientAlias(
            String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return null;
    }
}
