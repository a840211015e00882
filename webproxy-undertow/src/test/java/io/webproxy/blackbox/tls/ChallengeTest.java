package io.webproxy.blackbox.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.spi.ChallengeResponder;
import io.webproxy.testing.HeldProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Peers;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.tls.CertificateProvider;
import io.webproxy.tls.Certificates;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.TestProxy;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Challenges of a CA, answered on the server's own ports. */
@ExtendWith(LeakCheck.class)
class ChallengeTest {
    private static final String WELL_KNOWN = "/.well-known/acme-challenge/";

    private final HeldProvider provider = new HeldProvider(TestProxy.material());
    private RawUpstream upstream;

    @BeforeEach
    void startUpstream() throws Exception {
        upstream = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 5¶¶yours");
    }

    @AfterEach
    void stopUpstream() throws Exception {
        upstream.close();
    }

    private TestProxy proxy(Front front) {
        return TestProxy.start(
                front,
                config -> config.forward(upstream.uri())
                        .http(0)
                        .redirectHttp(0)
                        .basicAuth("user", "secret")
                        .certificates(provider));
    }

    private ChallengeResponder challenges() {
        return Objects.requireNonNull(provider.context).challenges();
    }

    private static int port(TestProxy proxy, int place) {
        return proxy.server().endpoints().get(place).address().getPort();
    }

    private static String ask(int port, String method, String target) throws Exception {
        try (RawConnection client = RawConnection.open(port)) {
            client.send(method + " " + target + " HTTP/1.1¶Host: a.example¶Connection: close¶¶");
            return client.readAll();
        }
    }

    /** The TLS port in clear, and the endpoints in clear: one forwards, one redirects. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void tokenIsAnsweredInClearBeforeRedirectAndPassword(int place) throws Exception {
        try (TestProxy proxy = proxy(Front.H1_TLS)) {
            int port = port(proxy, place);
            String usual = ask(port, "GET", WELL_KNOWN + "token-1_A").substring(9, 12);
            assertThat(usual).isEqualTo(place == 1 ? "401" : "301");
            proxy.record();
            try (ChallengeResponder.Answer answer = challenges().http("token-1_A", "token-1_A.thumb")) {
                String said = ask(port, "GET", WELL_KNOWN + "token-1_A");
                assertThat(said).startsWith("HTTP/1.1 200 OK").endsWith("\r\n\r\ntoken-1_A.thumb");
                assertThat(proxy.record()).satisfies(record -> {
                    assertThat(record.status()).isEqualTo(200);
                    assertThat(record.error()).isEmpty();
                });
                assertThat(ask(port, "GET", WELL_KNOWN + "token-1_A?x=1")).endsWith("token-1_A.thumb");
                assertThat(ask(port, "GET", "http://a.example" + WELL_KNOWN + "token-1_A"))
                        .endsWith("token-1_A.thumb");
                assertThat(ask(port, "HEAD", WELL_KNOWN + "token-1_A"))
                        .contains("\r\nContent-Length: 15\r\n")
                        .endsWith("\r\n\r\n");
                for (String other : List.of("token", "token-1_a", "", "token-1_A/", "../acme-challenge/x", "..")) {
                    assertThat(ask(port, "GET", WELL_KNOWN + other)).as(other).doesNotContain("thumb");
                    proxy.record();
                }
                for (String hostile : List.of("%00", "%2e%2e%2ftoken-1_A", "a\\b", "x".repeat(8000))) {
                    assertThat(ask(port, "GET", WELL_KNOWN + hostile)).doesNotContain("thumb");
                }
                assertThat(ask(port, "POST", WELL_KNOWN + "token-1_A")).doesNotContain("thumb");
                // closed twice, and not before the one that has replaced it
                ChallengeResponder.Answer later = challenges().http("token-1_A", "token-1_A.thumb");
                answer.close();
                answer.close();
                assertThat(ask(port, "GET", WELL_KNOWN + "token-1_A")).endsWith("thumb");
                later.close();
            }
            assertThat(ask(port, "GET", WELL_KNOWN + "token-1_A").substring(9, 12))
                    .isEqualTo(usual);
            assertThat(upstream.failures()).isEmpty();
        }
    }

    @Test
    void tokenIsNotAnsweredOverTls() throws Exception {
        try (TestProxy proxy = proxy(Front.H1_TLS);
                RawConnection client = proxy.raw()) {
            challenges().http("token", "token.thumb");
            client.send("GET " + WELL_KNOWN + "token HTTP/1.1¶Host: localhost¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 401");
        }
    }

    @Test
    void tokenThatIsNoneIsRefused() throws Exception {
        try (TestProxy proxy = proxy(Front.H1_TLS)) {
            assertThat(proxy.port()).isPositive();
            for (String token : List.of("", "a/b", "..", "a b", "ä")) {
                assertThatThrownBy(() -> challenges().http(token, "x"))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageStartingWith("token: ");
            }
        }
    }

    private static Peers.Outcome openssl(TestProxy proxy, String alpn, String name, String... more) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "openssl", "s_client", "-connect", "127.0.0.1:" + proxy.port(), "-servername", name, "-alpn", alpn));
        command.addAll(List.of(more));
        return Peers.run(Duration.ofSeconds(10), command.toArray(new String[0]));
    }

    @ParameterizedTest
    @EnumSource(names = {"H1_TLS", "H1_TLS_JDK"})
    void challengeByAlpnGetsItsCertificateAndIsClosed(Front front) throws Exception {
        try (TestProxy proxy = proxy(front)) {
            ChallengeResponder.Answer answer =
                    challenges().tlsAlpn("A.Example", HeldProvider.material("proof.example"));
            challenges().tlsAlpn("192.0.2.1", HeldProvider.material("address.example"));
            for (String version : List.of("-tls1_3", "-tls1_2")) {
                assertThat(openssl(proxy, "acme-tls/1", "a.example", version).stdout())
                        .contains("CN = proof.example", "ALPN protocol: acme-tls/1");
                assertThat(openssl(proxy, "acme-tls/1", "1.2.0.192.in-addr.arpa", version)
                                .stdout())
                        .contains("CN = address.example");
            }
            // nothing is left to say after the handshake
            HeldCertificate seen = new HeldCertificate.Builder()
                    .addSubjectAlternativeName("seen.example")
                    .build();
            challenges().tlsAlpn("seen.example", HeldProvider.material(seen));
            assertThat(endOfChallenge(proxy, seen)).isEqualTo(-1);
            // among others it is a protocol that isn't spoken
            assertThat(openssl(proxy, "acme-tls/1,http/1.1", "localhost").stdout())
                    .contains("CN = localhost", "ALPN protocol: http/1.1");
            assertThat(openssl(proxy, "http/1.1", "a.example").stdout()).contains("CN = localhost");
            answer.close();
            assertRefused(openssl(proxy, "acme-tls/1", "a.example"));
        }
    }

    private static int endOfChallenge(TestProxy proxy, HeldCertificate trusted) throws Exception {
        SSLSocketFactory factory = new HandshakeCertificates.Builder()
                .addTrustedCertificate(trusted.certificate())
                .build()
                .sslSocketFactory();
        Socket plain = new Socket(InetAddress.getLoopbackAddress(), proxy.port());
        try (SSLSocket socket = (SSLSocket) factory.createSocket(plain, "seen.example", proxy.port(), true)) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {"acme-tls/1"});
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            socket.setSoTimeout(30_000);
            socket.startHandshake();
            assertThat(socket.getApplicationProtocol()).isEqualTo("acme-tls/1");
            return socket.getInputStream().read();
        }
    }

    /** Only what is for the challenge is shown to who asks for one. */
    @ParameterizedTest
    @EnumSource(names = {"H1_TLS", "H1_TLS_JDK"})
    void challengeNeverGetsTheOrdinaryCertificate(Front front) throws Exception {
        try (TestProxy proxy = proxy(front)) {
            for (String name : List.of("localhost", "a.example")) {
                assertRefused(openssl(proxy, "acme-tls/1", name));
            }
        }
    }

    private static void assertRefused(Peers.Outcome outcome) {
        assertThat(outcome.stdout()).contains("no peer certificate available");
        assertThat(outcome.stderr()).contains("SSL alert number 120");
    }

    @Test
    void answersOfAProviderEndWithIt() throws Exception {
        try (TestProxy proxy = proxy(Front.H1_TLS)) {
            ChallengeResponder gone = challenges();
            gone.http("token", "token.thumb");
            gone.tlsAlpn("a.example", HeldProvider.material("proof.example"));
            CertificateProvider other = new HeldProvider(TestProxy.material());
            proxy.server().update(c -> c.certificates(other, Certificates.selfSigned("own.example")));
            gone.http("late", "late.thumb");
            for (String token : List.of("token", "late")) {
                assertThat(ask(port(proxy, 1), "GET", WELL_KNOWN + token)).startsWith("HTTP/1.1 401");
            }
            assertRefused(openssl(proxy, "acme-tls/1", "a.example"));
        }
    }
}
