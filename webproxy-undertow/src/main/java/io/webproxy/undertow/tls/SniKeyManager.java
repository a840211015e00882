package io.webproxy.undertow.tls;

import io.webproxy.http.IpLiteral;
import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * Serves the certificate that fits what the client has said, and swaps them while serving. An alias is a key type: what it stands for is the
 * handshake's.
 *
 * <p>Thread-safe, never blocks: it runs on the IO thread.
 */
final class SniKeyManager extends X509ExtendedKeyManager {
    private volatile DefaultLast served;

    SniKeyManager(KeyChooser chooser) {
        served = new DefaultLast(chooser);
    }

    /** Serves others from the next handshake on. */
    void update(KeyChooser chooser) {
        served = new DefaultLast(chooser);
    }

    /** What is served to a client; nothing, if there is nothing for anybody. */
    HandshakeKeys choose(ClientHello hello) {
        return new HandshakeKeys(hello, served.choose(hello));
    }

    private @Nullable KeyMaterial ofType(String keyType) {
        HandshakeKeys now = HandshakeKeys.current();
        return (now == null ? choose(HandshakeKeys.UNKNOWN) : now).ofType(keyType);
    }

    @Override
    public @Nullable String chooseEngineServerAlias(
            String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
        return ofType(keyType) == null ? null : keyType;
    }

    @Override
    public @Nullable PrivateKey getPrivateKey(String alias) {
        KeyMaterial material = ofType(alias);
        return material == null ? null : material.key();
    }

    @Override
    public X509Certificate @Nullable [] getCertificateChain(String alias) {
        KeyMaterial material = ofType(alias);
        return material == null ? null : material.chain().toArray(new X509Certificate[0]);
    }

    /**
     * Whether a host has a certificate here, but not the one that this session's client was given.
     *
     * @param local the address that the client reached
     * @param host what it asks for now, canonical
     */
    boolean isMisdirected(ExtendedSSLSession session, InetSocketAddress local, String host) {
        DefaultLast keys = served;
        if (keys.isSingle()) {
            return false;
        }
        String name = requestedName(session);
        if (host.equals(name)) {
            return false;
        }
        try {
            List<KeyMaterial> given = keys.choose(hello(name, local));
            if (given.stream().anyMatch(material -> material.covers(host))) {
                return false;
            }
            List<KeyMaterial> wanted = wanted(keys.all(), host, local);
            return !wanted.isEmpty() && Collections.disjoint(given, wanted);
        } catch (AskedProvider.Failed e) {
            // nobody knows
            return false;
        }
    }

    /** Whether the certificate that this session's client was given is for a host; where nobody knows, it is. */
    boolean isCovered(ExtendedSSLSession session, InetSocketAddress local, String host) {
        try {
            return served.choose(hello(requestedName(session), local)).stream()
                    .anyMatch(material -> material.covers(host));
        } catch (AskedProvider.Failed e) {
            return true;
        }
    }

    private static List<KeyMaterial> wanted(KeyChooser all, String host, InetSocketAddress local) {
        InetAddress address = IpLiteral.parse(host);
        if (address == null) {
            return all.choose(hello(host, local));
        }
        List<KeyMaterial> reached = all.choose(hello(null, new InetSocketAddress(address, local.getPort())));
        return reached.stream().anyMatch(material -> material.covers(host)) ? reached : List.of();
    }

    private static ClientHello hello(@Nullable String name, InetSocketAddress local) {
        return new ClientHello(Optional.ofNullable(name), List.of(), local, HandshakeKeys.UNKNOWN.keyTypes());
    }

    private static @Nullable String requestedName(ExtendedSSLSession session) {
        for (SNIServerName name : session.getRequestedServerNames()) {
            if (name instanceof SNIHostName host) {
                return HostNames.canonical(host.getAsciiName());
            }
        }
        return null;
    }

    @Override
    public @Nullable String chooseServerAlias(String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return chooseEngineServerAlias(keyType, issuers, null);
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
        return null;
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
