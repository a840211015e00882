package io.webproxy.acme;

import static io.webproxy.acme.CheckFinding.Severity.ERROR;
import static io.webproxy.acme.CheckFinding.Severity.INFO;
import static io.webproxy.acme.CheckFinding.Severity.WARNING;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.webproxy.acme.testing.FakeContext;
import io.webproxy.acme.testing.HeapStore;
import io.webproxy.acme.testing.ManualTime;
import io.webproxy.acme.testing.NoDns;
import io.webproxy.acme.testing.TestDns;
import io.webproxy.acme.testing.TestResponder;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RefusedPort;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(LeakCheck.class)
@TestInstance(
        TestInstance.Lifecycle.PER_CLASS) // Threads of HTTP clients go when they have had nothing to do for a second.
class PreflightTest {
    private static final HeldCertificate CA =
            new HeldCertificate.Builder().addSubjectAlternativeName("localhost").build();

    @TempDir
    private Path directory;

    private final List<String> asked = new ArrayList<>();
    private HttpsServer ca;
    private TestDns dns;
    private TestResponder responder;
    private String answer = "";
    private int status;
    /** Until it is down, the CA's answer stays without its end. */
    private volatile CountDownLatch goOn = new CountDownLatch(0);

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @BeforeEach
    void start() throws Exception {
        asked.clear();
        answer = meta("");
        status = 200;
        Files.writeString(directory.resolve("ca.pem"), CA.certificatePem());
        ca = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        ca.setHttpsConfigurator(new HttpsConfigurator(
                new HandshakeCertificates.Builder().heldCertificate(CA).build().sslContext()));
        ca.createContext("/", exchange -> {
            asked.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
            byte[] body = answer.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body, 0, 1);
            exchange.getResponseBody().flush();
            await(goOn);
            exchange.getResponseBody().write(body, 1, body.length - 1);
            exchange.close();
        });
        ca.start();
        dns = new TestDns();
        responder = new TestResponder();
    }

    @AfterEach
    void stop() throws Exception {
        ca.stop(0);
        dns.close();
        responder.close();
    }

    private static String meta(String meta) {
        return "{\"newOrder\": \"https://localhost/order\", \"meta\": {" + meta + "}}";
    }

    private AcmeCertificates.Builder builder(String... names) {
        return AcmeCertificates.builder()
                .names(names)
                .directory("https://localhost:" + ca.getAddress().getPort() + "/dir")
                .trust(directory.resolve("ca.pem"))
                .resolver(dns.address())
                .acceptTermsOfService()
                .store(new HeapStore());
    }

    /** While a server runs with them. */
    private List<CheckFinding> running(AcmeCertificates certificates) throws Exception {
        return running(certificates, responder.realHttpPort(), responder.realHttpsPort());
    }

    private List<CheckFinding> running(AcmeCertificates certificates, int httpPort, int tlsPort) throws Exception {
        certificates.start(new FakeContext(new ManualTime(Clock.systemUTC().instant()), responder));
        try {
            return certificates.check(httpPort, tlsPort);
        } finally {
            certificates.stop();
        }
    }

    private static CheckFinding finding(CheckFinding.Severity severity, String name, String sentence) {
        return new CheckFinding(severity, name, sentence);
    }

    private static List<CheckFinding> without(CheckFinding.Severity severity, List<CheckFinding> findings) {
        return findings.stream().filter(one -> one.severity() != severity).toList();
    }

    @Test
    void allIsWellAndNoAttemptIsSpent() throws Exception {
        dns.host("www.example.com", "127.0.0.1");
        HeapStore store = new HeapStore();

        List<CheckFinding> findings =
                running(builder("www.example.com", "127.0.0.1").store(store).build());

        String tls = "port " + responder.realHttpsPort() + " of 127.0.0.1 leads to this server";
        String http = "port " + responder.realHttpPort() + " of 127.0.0.1 leads to this server";
        assertThat(findings)
                .containsExactly(
                        finding(INFO, "www.example.com", "resolves to 127.0.0.1, of this machine"),
                        finding(INFO, "www.example.com", tls),
                        finding(INFO, "www.example.com", http),
                        finding(WARNING, "127.0.0.1", "is no public address: only a private CA certifies it"),
                        finding(INFO, "127.0.0.1", tls),
                        finding(INFO, "127.0.0.1", http));
        assertThat(asked).containsExactly("GET /dir");
        assertThat(store.list("")).isEmpty();
        assertThat(responder.files).isEmpty();
        assertThat(responder.certificates).isEmpty();
    }

    @Test
    void beforeTheStartPortsAreNotTried() throws Exception {
        dns.host("www.example.com", "192.0.2.1").host("www.example.com", "2001:db8::1");

        assertThat(builder("www.example.com").build().check())
                .containsExactly(
                        finding(
                                INFO,
                                "",
                                "no server runs with these certificates yet: whether ports lead to this server isn't"
                                        + " tried"),
                        finding(
                                INFO,
                                "www.example.com",
                                "resolves to 192.0.2.1, 2001:db8::1, which isn't of this machine: right only if it"
                                        + " leads here"));
    }

    @Test
    void portsThatLeadElsewhereAreSaid() throws Exception {
        dns.host("www.example.com", "127.0.0.1");
        HttpServer other = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        other.createContext("/", exchange -> {
            // Says all that it is told.
            byte[] body = exchange.getRequestURI().toString().getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        other.start();
        try {
            int port = other.getAddress().getPort();
            assertThat(without(
                            INFO,
                            running(
                                    builder("www.example.com").build(),
                                    port,
                                    ca.getAddress().getPort())))
                    .containsExactly(
                            finding(
                                    WARNING,
                                    "www.example.com",
                                    "port " + ca.getAddress().getPort()
                                            + " of 127.0.0.1 is answered by another server than this"),
                            finding(
                                    WARNING,
                                    "www.example.com",
                                    "port " + port
                                            + " of 127.0.0.1 is answered by another server than this (HTTP/1.1 200"
                                            + " OK)"));
        } finally {
            other.stop(0);
        }
    }

    @Test
    void portsThatNobodyListensToAreSaid() throws Exception {
        dns.host("www.example.com", "127.0.0.1");
        try (RefusedPort refused = RefusedPort.open()) {
            int port = refused.port();
            assertThat(without(INFO, running(builder("www.example.com").build(), port, port)))
                    .hasSize(2)
                    .allMatch(
                            one -> one.sentence().equals("port " + port + " of 127.0.0.1 can't be reached from here"));
        }
    }

    @Test
    void namesWithoutAnAddressCantBeCertified() throws Exception {
        dns.failing.add("broken.example.com");
        dns.caa("bare.example.com", 0, "iodef", "mailto:a@example.com");

        assertThat(without(
                        INFO,
                        running(builder("no.example.com", "bare.example.com", "broken.example.com")
                                .build())))
                .extracting(CheckFinding::toString)
                .containsExactly(
                        "ERROR no.example.com: has no address in the DNS: make an A or AAAA record that leads to this"
                                + " server",
                        "ERROR bare.example.com: has no address in the DNS: make an A or AAAA record that leads to"
                                + " this server",
                        "ERROR broken.example.com: its CAA records can't be looked up, which stops the CA too: the DNS"
                                + " server fails to answer (SERVFAIL)",
                        "ERROR broken.example.com: its address can't be looked up: the DNS server fails to answer"
                                + " (SERVFAIL)");
    }

    @Test
    void caaRecordsThatForbidThisCaAreSaid() throws Exception {
        answer = meta("\"caaIdentities\": [\"CA.example\"]");
        dns.host("www.example.com", "127.0.0.1").caa("example.com", 0, "issue", "other.example");
        dns.host("ok.example.org", "127.0.0.1").caa("example.org", 0, "issue", "ca.example");

        assertThat(without(
                        INFO,
                        running(builder("www.example.com", "ok.example.org").build())))
                .containsExactly(finding(
                        ERROR,
                        "www.example.com",
                        "the CAA records of example.com forbid this CA: they allow other.example, and this CA"
                                + " is ca.example"));
    }

    @Test
    void aClockThatIsWrongIsSaid() throws Exception {
        dns.host("www.example.com", "127.0.0.1");

        assertThat(without(
                        INFO,
                        builder("www.example.com")
                                .clock(Clock.offset(Clock.systemUTC(), Duration.ofHours(-30)))
                                .build()
                                .check()))
                .singleElement()
                .satisfies(one -> assertThat(one.sentence())
                        .matches("the clock of this machine is (29|30) hours behind that of localhost: set it by NTP"));
        assertThat(without(
                        INFO,
                        builder("www.example.com")
                                .clock(Clock.offset(Clock.systemUTC(), Duration.ofMinutes(3)))
                                .build()
                                .check()))
                .isEmpty();
    }

    @Test
    void whatTheCaWantsAndDoesNotGetIsSaid() throws Exception {
        answer = meta("\"externalAccountRequired\": true, \"profiles\": {\"classic\": \"x\", \"tls\": \"y\"}");

        assertThat(without(INFO, builder("192.0.2.1").build().check()))
                .containsExactly(
                        finding(
                                ERROR,
                                "",
                                "localhost wants accounts to be bound to one that you have there: give"
                                        + " externalAccount(…)"),
                        finding(
                                WARNING,
                                "192.0.2.1",
                                "localhost doesn't offer the profile shortlived, which certificates for IP addresses"
                                        + " mostly need"));
        assertThat(builder("192.0.2.1").profile("odd").build().check())
                .contains(finding(ERROR, "", "profile: odd (expected: one that localhost offers: classic, tls)"));
    }

    @Test
    void withoutAnEndpointThereIsNoWay() throws Exception {
        responder.http = false;
        responder.https = false;

        assertThat(without(INFO, running(builder("www.example.com").build())))
                .containsExactly(finding(
                        ERROR,
                        "www.example.com",
                        "there is no way to prove that it's yours: it takes an endpoint of TLS on port 443,"
                                + " a cleartext one on port 80, or dns(…)"));
    }

    @Test
    void aCaThatIsNoneIsSaidInOneSentence() throws Exception {
        String url = "https://localhost:" + ca.getAddress().getPort() + "/dir";
        for (String wrong : Arrays.asList("<html>", "{}", " ", null)) {
            status = wrong == null ? 500 : 200;
            answer = wrong == null ? "oops" : wrong;
            assertThat(without(
                            INFO,
                            builder("*.example.com").dns(new NoDns()).build().check()))
                    .singleElement()
                    .isEqualTo(finding(
                            ERROR,
                            "",
                            wrong == null
                                    ? "CA localhost answers " + url + " with HTTP 500 (expected: an ACME directory)"
                                    : "CA localhost has something else at " + url + " (expected: an ACME directory)"));
        }
    }

    @Test
    void aCaThatIsNotTrustedOrNotThereIsSaid() throws Exception {
        assertThat(first(AcmeCertificates.builder()
                        .names("192.0.2.1")
                        .directory("https://localhost:" + ca.getAddress().getPort() + "/dir")
                        .acceptTermsOfService()
                        .store(new HeapStore())))
                .startsWith("CA localhost isn't trusted");
        assertThat(first(builder("192.0.2.1").trust(directory.resolve("none.pem"))))
                .contains(directory.resolve("none.pem").toString())
                .contains("(expected: PEM certificates that the CA's server is trusted by)");
        try (RefusedPort refused = RefusedPort.open()) {
            assertThat(first(builder("192.0.2.1").directory("https://localhost:" + refused.port() + "/")))
                    .startsWith("CA localhost can't be reached");
        }
        try (ServerSocket hanging = new ServerSocket(0)) {
            assertThat(first(builder("192.0.2.1")
                            .directory("https://localhost:" + hanging.getLocalPort() + "/")
                            .timeout(Duration.ofSeconds(1))))
                    .isEqualTo("CA localhost has not answered within 1000 ms");
        }
    }

    @Test
    @Timeout(30)
    void aCaThatNeverEndsItsAnswerHasNotAnswered() throws Exception {
        goOn = new CountDownLatch(1);
        try {
            assertThat(first(builder("192.0.2.1").timeout(Duration.ofSeconds(1))))
                    .isEqualTo("CA localhost has not answered within 1000 ms");
        } finally {
            goOn.countDown();
        }
    }

    private static @Nullable String first(AcmeCertificates.Builder builder) throws InterruptedException {
        return builder.build().check().get(0).sentence();
    }
}
