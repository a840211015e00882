package io.webproxy.undertow.canary;

import java.net.Socket;
import java.nio.ByteBuffer;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;
import okhttp3.tls.HeldCertificate;
import org.conscrypt.Conscrypt;
import org.jspecify.annotations.Nullable;

/** Engines as the two implementations of TLS give them, and what a handshake needs. */
final class StockTls {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
    private static final int ROUNDS = 12;

    private StockTls() {}

    static Provider conscrypt() {
        return Conscrypt.newProvider();
    }

    static SSLContext context(@Nullable Provider provider, @Nullable KeyManager keys, TrustManager... trust)
            throws Exception {
        SSLContext context =
                provider == null ? SSLContext.getInstance("TLS", "SunJSSE") : SSLContext.getInstance("TLS", provider);
        context.init(keys == null ? new KeyManager[0] : new KeyManager[] {keys}, trust, null);
        return context;
    }

    /** The JDK's trust managers, of one certificate. */
    static TrustManager[] trusting(X509Certificate trusted) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("trusted", trusted);
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX", "SunJSSE");
        factory.init(store);
        return factory.getTrustManagers();
    }

    /** Moves all that the engines have for each other, a handshake and what comes after it. */
    static void talk(SSLEngine client, SSLEngine server) throws SSLException {
        ByteBuffer toServer = ByteBuffer.allocateDirect(1 << 16);
        ByteBuffer toClient = ByteBuffer.allocateDirect(1 << 16);
        for (int i = 0; i < ROUNDS; i++) {
            move(client, server, toServer);
            move(server, client, toClient);
        }
    }

    /** Moves what one engine has for another; {@code net} holds what that doesn't take yet. */
    static void move(SSLEngine from, SSLEngine to, ByteBuffer net) throws SSLException {
        runTasks(from);
        while (from.wrap(NOTHING, net).bytesProduced() > 0) {
            runTasks(from);
        }
        net.flip();
        ByteBuffer plain = ByteBuffer.allocateDirect(1 << 15);
        while (net.hasRemaining() && to.unwrap(net, plain).bytesConsumed() > 0) {
            runTasks(to);
        }
        runTasks(to);
        net.compact();
    }

    static void runTasks(SSLEngine engine) {
        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
        }
    }

    /** Serves one certificate, whatever is asked for. */
    static class OneKey extends X509ExtendedKeyManager {
        private final HeldCertificate held;

        OneKey(HeldCertificate held) {
            this.held = held;
        }

        @Override
        public @Nullable String chooseEngineServerAlias(
                String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
            return keyType.startsWith("EC") ? "held" : null;
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            return new X509Certificate[] {held.certificate()};
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return held.keyPair().getPrivate();
        }

        @Override
        public @Nullable String chooseServerAlias(
                String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return null;
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
}
