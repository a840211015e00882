package io.webproxy.acme.check;

import io.webproxy.acme.certificate.Names;
import io.webproxy.acme.certificate.ReverseName;
import io.webproxy.acme.certificate.TlsAlpnCertificate;
import io.webproxy.spi.ChallengeResponder;
import io.webproxy.spi.IpLiteral;
import io.webproxy.tls.KeyMaterial;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * Checks, as a CA does, whether a port leads to this server: sets an answer that only this server can give, and
 * requests it. A port that is reachable from here may not be reachable from outside, and vice versa if a router doesn't
 * support hairpin NAT.
 */
public final class PortProbe {
    private static final int MOST_BYTES = 16 * 1024;
    private static final int SECRET_BYTES = 32;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final ChallengeResponder responder;
    private final int httpPort;
    private final int tlsPort;
    private final int timeoutMillis;

    /**
     * The result of a probe.
     *
     * @param reached whether this server answered
     * @param sentence describes the result
     */
    record Outcome(boolean reached, String sentence) {}

    /** Probes these ports; an address that doesn't answer within the time limit counts as unreachable. */
    public PortProbe(ChallengeResponder responder, int httpPort, int tlsPort, int timeoutMillis) {
        this.responder = responder;
        this.httpPort = httpPort;
        this.tlsPort = tlsPort;
        this.timeoutMillis = timeoutMillis;
    }

    /** Requests the answer as for {@code http-01} (RFC 8555 section 8.3). */
    Outcome http(String name, InetAddress address) {
        String token = secret();
        String expected = token + "." + secret();
        try (ChallengeResponder.Answer given = responder.http(token, expected);
                Socket socket = connect(address, httpPort)) {
            String host = name.contains(":") ? "[" + name + "]" : name;
            String head = "GET /.well-known/acme-challenge/" + token + " HTTP/1.1\r\nHost: " + host
                    + (httpPort == 80 ? "" : ":" + httpPort) + "\r\nUser-Agent: webproxy\r\nConnection: close\r\n\r\n";
            socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
            String answer = read(socket.getInputStream());
            if (answer.startsWith("HTTP/1.") && answer.contains(expected)) {
                return reached(address, httpPort);
            }
            return missed(
                    address,
                    httpPort,
                    "is answered by another server than this ("
                            + answer.lines()
                                    .findFirst()
                                    .map(PortProbe::harmless)
                                    .orElse("with nothing") + ")");
        } catch (IOException e) {
            return missed(address, httpPort, why(e));
        }
    }

    /** Does the handshake as for {@code tls-alpn-01} (RFC 8737 section 3). */
    Outcome tls(String name, InetAddress address) {
        InetAddress literal = IpLiteral.parse(name);
        try {
            byte[] digest = new byte[SECRET_BYTES];
            RANDOM.nextBytes(digest);
            KeyMaterial shown = TlsAlpnCertificate.create(Names.identifier(name), digest, Instant.now());
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {new OnlyThis(shown.leaf())}, null);
            try (ChallengeResponder.Answer given = responder.tlsAlpn(name, shown);
                    Socket plain = connect(address, tlsPort);
                    SSLSocket socket =
                            (SSLSocket) context.getSocketFactory().createSocket(plain, null, tlsPort, true)) {
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setApplicationProtocols(new String[] {"acme-tls/1"});
                parameters.setServerNames(List.of(new SNIHostName(literal == null ? name : ReverseName.of(literal))));
                socket.setSSLParameters(parameters);
                socket.startHandshake();
                return reached(address, tlsPort);
            }
        } catch (SSLException e) {
            return missed(address, tlsPort, "is answered by another server than this");
        } catch (IOException e) {
            return missed(address, tlsPort, why(e));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private Socket connect(InetAddress address, int port) throws IOException {
        Socket socket = new Socket(Proxy.NO_PROXY);
        try {
            socket.setSoTimeout(timeoutMillis);
            socket.connect(new InetSocketAddress(address, port), timeoutMillis);
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /**
     * Reads up to a limit that includes the expected answer; a peer that sends more, or byte by byte, isn't this
     * server.
     */
    private String read(InputStream in) throws IOException {
        byte[] buffer = new byte[MOST_BYTES];
        int length = 0;
        long end = System.nanoTime() + timeoutMillis * 1_000_000L;
        while (length < buffer.length && System.nanoTime() - end < 0) {
            int read = in.read(buffer, length, buffer.length - length);
            if (read < 0) {
                break;
            }
            length += read;
        }
        return new String(buffer, 0, length, StandardCharsets.ISO_8859_1);
    }

    private static String secret() {
        byte[] random = new byte[SECRET_BYTES];
        RANDOM.nextBytes(random);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(random);
    }

    private static Outcome reached(InetAddress address, int port) {
        return new Outcome(true, "port " + port + " of " + IpLiteral.text(address) + " leads to this server");
    }

    private static Outcome missed(InetAddress address, int port, String why) {
        return new Outcome(false, "port " + port + " of " + IpLiteral.text(address) + " " + why);
    }

    private static String why(IOException e) {
        if (e instanceof SocketTimeoutException) {
            return "doesn't answer";
        }
        return e instanceof ConnectException ? "can't be reached from here" : "breaks off";
    }

    private static String harmless(String line) {
        String printable = line.replaceAll("[^ -~]", "?");
        return printable.length() > 60 ? printable.substring(0, 60) + "…" : printable;
    }

    /** Trusts only the certificate that this server presents for the probe. */
    private static final class OnlyThis implements X509TrustManager {
        private final X509Certificate expected;

        OnlyThis(X509Certificate expected) {
            this.expected = expected;
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
            if (chain.length == 0 || !chain[0].equals(expected)) {
                throw new CertificateException("another certificate than the one that is shown");
            }
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
            throw new CertificateException("not for clients");
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
