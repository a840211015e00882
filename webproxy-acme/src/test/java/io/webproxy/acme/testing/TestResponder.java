package io.webproxy.acme.testing;

import com.sun.net.httpserver.HttpServer;
import io.webproxy.acme.certificate.ReverseName;
import io.webproxy.spi.ChallengeResponder;
import io.webproxy.spi.IpLiteral;
import io.webproxy.tls.KeyMaterial;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/** Answers challenges with the JDK's own servers, on two free ports of all addresses. */
public final class TestResponder implements ChallengeResponder, AutoCloseable {
    public final Map<String, String> files = new ConcurrentHashMap<>();
    public final Map<String, KeyMaterial> certificates = new ConcurrentHashMap<>();
    public final AtomicInteger filesGiven = new AtomicInteger();
    public final AtomicInteger certificatesGiven = new AtomicInteger();

    /** What is said to be there; turned off to look like a proxy without such an endpoint. */
    public volatile boolean http = true;

    public volatile boolean https = true;

    /** Turned on to break what is answered. */
    public volatile boolean wrong;

    private final HttpServer httpServer;
    private final SSLServerSocket tlsServer;
    private final Thread tlsThread;

    public TestResponder() throws IOException, GeneralSecurityException {
        httpServer = HttpServer.create(new InetSocketAddress(0), 0);
        httpServer.createContext("/.well-known/acme-challenge/", exchange -> {
            String path = exchange.getRequestURI().getPath();
            String answer = files.get(path.substring(path.lastIndexOf('/') + 1));
            byte[] body = (wrong || answer == null ? "no" : answer).getBytes(StandardCharsets.US_ASCII);
            exchange.sendResponseHeaders(answer == null ? 404 : 200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        httpServer.start();

        SSLContext context = SSLContext.getInstance("TLS");
        context.init(new KeyManager[] {new ByName()}, null, null);
        tlsServer = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0);
        SSLParameters parameters = tlsServer.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {"acme-tls/1"});
        tlsServer.setSSLParameters(parameters);
        tlsThread = new Thread(this::shakeHands, "test-responder");
        tlsThread.start();
    }

    public int realHttpPort() {
        return httpServer.getAddress().getPort();
    }

    public int realHttpsPort() {
        return tlsServer.getLocalPort();
    }

    @Override
    public int httpPort() {
        return http ? realHttpPort() : 0;
    }

    @Override
    public int httpsPort() {
        return https ? realHttpsPort() : 0;
    }

    @Override
    public Answer http(String token, String keyAuthorization) {
        files.put(token, keyAuthorization);
        filesGiven.incrementAndGet();
        return () -> files.remove(token);
    }

    @Override
    public Answer tlsAlpn(String name, KeyMaterial certificate) {
        InetAddress address = IpLiteral.parse(name);
        String asked = address == null ? name : ReverseName.of(address);
        certificates.put(asked, certificate);
        certificatesGiven.incrementAndGet();
        return () -> certificates.remove(asked);
    }

    private void shakeHands() {
        while (!tlsServer.isClosed()) {
            try (Socket socket = tlsServer.accept()) {
                socket.setSoTimeout(30_000);
                ((SSLSocket) socket).startHandshake();
                socket.getInputStream().read();
            } catch (IOException e) {
                // A CA that doesn't like what it sees, or the end.
            }
        }
    }

    @Override
    public void close() throws IOException, InterruptedException {
        httpServer.stop(0);
        tlsServer.close();
        tlsThread.join();
    }

    /** The certificate of the name that the client asks for. */
    private final class ByName extends X509ExtendedKeyManager {
        @Override
        public @Nullable String chooseServerAlias(String type, Principal @Nullable [] issuers, Socket socket) {
            ExtendedSSLSession session = (ExtendedSSLSession) ((SSLSocket) socket).getHandshakeSession();
            for (var name : session.getRequestedServerNames()) {
                String host = new String(name.getEncoded(), StandardCharsets.US_ASCII);
                KeyMaterial material = certificates.get(host);
                if (material != null && material.keyType().equals(type.startsWith("EC") ? "EC" : type)) {
                    return host;
                }
            }
            return null;
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            return material(alias).chain().toArray(X509Certificate[]::new);
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return material(alias).key();
        }

        private KeyMaterial material(String alias) {
            KeyMaterial material = certificates.get(alias);
            if (material == null) {
                throw new UncheckedIOException(new IOException(alias));
            }
            return material;
        }

        @Override
        public String @Nullable [] getClientAliases(String type, Principal[] issuers) {
            return null;
        }

        @Override
        public @Nullable String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
            return null;
        }

        @Override
        public String @Nullable [] getServerAliases(String type, Principal[] issuers) {
            return null;
        }

        @Override
        public @Nullable String chooseEngineServerAlias(String type, Principal[] issuers, SSLEngine engine) {
            return null;
        }
    }
}
