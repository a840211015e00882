package io.webproxy.samples;

import io.webproxy.PrivateProxy;
import io.webproxy.ProxyServer;
import io.webproxy.PublicProxy;
import io.webproxy.http.Answer;
import io.webproxy.tls.Certificates;
import io.webproxy.tunnel.Tunnel;
import io.webproxy.tunnel.TunnelServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * A service behind NAT, all in one JVM: an internal JSON service with its own TLS, the public and the private proxy,
 * and one request through both. The client sees the inner server's certificate.
 */
public final class TunnelDemo {
    private static final String NAME = "test.internal-server.local";

    private TunnelDemo() {}

    /** Makes one request and prints the answer. */
    public static void main(String[] args) throws Exception {
        run(System.out);
    }

    static void run(PrintStream out) throws IOException, GeneralSecurityException, InterruptedException {
        Path directory = Files.createTempDirectory("tunnel-demo");
        String fingerprint = Tunnel.createKey(directory, "alice");
        Path agents = Files.writeString(directory.resolve("agents"), "alice " + fingerprint + " names=" + NAME + "\n");
        try (ProxyServer inner = innerServer(directory);
                PublicProxy outside = PublicProxy.start(
                        0,
                        TunnelServer.agents(agents).identity(directory.resolve("public")),
                        builder -> builder.bind("127.0.0.1").drainTime(Duration.ofSeconds(1)));
                PrivateProxy inside = PrivateProxy.start(
                        "127.0.0.1:" + outside.port(),
                        tunnel -> tunnel.identity(directory.resolve("alice"))
                                .server(outside.fingerprint())
                                .announce(NAME, "127.0.0.1:" + port(inner)),
                        builder -> builder.drainTime(Duration.ofSeconds(1)))) {
            if (inside.awaitAnnounced(Duration.ofSeconds(10))) {
                out.println(get(outside.port(), directory.resolve("self-signed.crt")));
            }
        }
    }

    private static ProxyServer innerServer(Path directory) {
        byte[] body = "{\"message\": \"success\"}".getBytes(StandardCharsets.UTF_8);
        return ProxyServer.builder()
                .bind("127.0.0.1")
                .https(0)
                .certificates(Certificates.selfSigned(NAME).storedIn(directory))
                .route(r -> r.path("/jsonrpc").answer(head -> Answer.of(200, "application/json", body)))
                .drainTime(Duration.ofSeconds(1))
                .start();
    }

    private static int port(ProxyServer server) {
        return server.endpoints().get(0).address().getPort();
    }

    /** As {@code curl --cacert … --resolve …} does: without looking up the name. */
    private static String get(int port, Path certificate) throws IOException, GeneralSecurityException {
        try (Socket plain = new Socket(InetAddress.getLoopbackAddress(), port);
                SSLSocket socket =
                        (SSLSocket) trusting(certificate).getSocketFactory().createSocket(plain, NAME, port, true)) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName(NAME)));
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            String request = "GET /jsonrpc HTTP/1.1\r\nHost: " + NAME + "\r\nConnection: close\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            String response = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return response.substring(response.indexOf("\r\n\r\n") + 4);
        }
    }

    private static SSLContext trusting(Path certificate) throws IOException, GeneralSecurityException {
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        try (InputStream in = Files.newInputStream(certificate)) {
            trusted.setCertificateEntry(
                    NAME, CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), null);
        return context;
    }
}
