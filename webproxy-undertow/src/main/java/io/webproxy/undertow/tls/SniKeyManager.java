package io.webproxy.undertow.tls;

import io.webproxy.spi.ClientHelloData;
import io.webproxy.spi.IpLiteral;
import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.undertow.tls.engine.HandshakeKeys;
import io.webproxy.undertow.tls.keys.HostNames;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * Serves the certificate that fits the ClientHello; the certificates can be replaced while serving. An alias is a key
 * type, resolved by the keys of the handshake.
 *
 * <p>Thread-safe, never blocks: it runs on the IO thread.
 */
final class SniKeyManager extends X509ExtendedKeyManager {
    private volatile DefaultLast served;

    SniKeyManager(DefaultLast chooser) {
        served = chooser;
    }

    /** Replaces the certificates from the next handshake on. */
    void update(DefaultLast others) {
        served = others;
    }

    /** The keys for a client; empty if there are none for any client. */
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
     * Whether the certificate that a client with this SNI, or none, was served is also for another host; true if
     * unknown.
     */
    boolean isCovered(String requested, InetSocketAddress local, String host) {
        try {
            return anyCovers(served.choose(hello(requested, local)), host);
        } catch (AskedProvider.Failed e) {
            return true;
        }
    }

    /** Whether there is a certificate for a host; true if unknown. */
    boolean hasCertificate(String host, InetSocketAddress local) {
        InetAddress address = IpLiteral.parse(host);
        try {
            return anyCovers(
                    served.all()
                            .choose(
                                    address == null
                                            ? hello(host, local)
                                            : hello("", new InetSocketAddress(address, local.getPort()))),
                    host);
        } catch (AskedProvider.Failed e) {
            return true;
        }
    }

    private static boolean anyCovers(List<KeyMaterial> materials, String host) {
        for (KeyMaterial material : materials) {
            if (material.covers(host)) {
                return true;
            }
        }
        return false;
    }

    private static ClientHello hello(String name, InetSocketAddress local) {
        return new ClientHelloData(
                name.isEmpty() ? Optional.empty() : Optional.of(name),
                List.of(),
                local,
                HandshakeKeys.UNKNOWN.keyTypes());
    }

    /** The host that a session's client named by SNI, canonical; empty if none. */
    static String requestedName(ExtendedSSLSession session) {
        for (SNIServerName name : session.getRequestedServerNames()) {
            if (name instanceof SNIHostName host) {
                return HostNames.canonical(host.getAsciiName());
            }
        }
        return "";
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
