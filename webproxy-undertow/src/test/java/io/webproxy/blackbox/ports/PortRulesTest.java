package io.webproxy.blackbox.ports;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyConfig;
import io.webproxy.http.ProxyProtocol;
import io.webproxy.observe.RelayEnd;
import io.webproxy.port.Relay;
import io.webproxy.port.Sni;
import io.webproxy.spi.RuleData;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.Hellos;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.TestPort;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What becomes of connections to a port that several protocols share. */
@ExtendWith(LeakCheck.class)
class PortRulesTest {
    private static final String GET = "GET / HTTP/1.1¶Host: localhost¶Connection: close¶¶";
    private static final String BANNER = "SSH-2.0-OpenSSH_9.6¶";

    private RawUpstream routes;
    private RawUpstream ssh;
    private RawUpstream other;

    @BeforeEach
    void startTargets() throws IOException {
        routes = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 6¶¶routes");
        ssh = RawUpstream.echoing("ssh");
        other = RawUpstream.echoing("other");
    }

    @AfterEach
    void stopTargets() throws IOException {
        routes.close();
        ssh.close();
        other.close();
    }

    private void withRoutes(ProxyConfig.Builder config) {
        config.forward(routes.uri()).certificates(TestProxy.certificates());
    }

    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    void sshHttpAndHttpsShareAPort(TlsProvider provider) throws Exception {
        try (TestPort proxy =
                TestPort.start(provider, port -> port.ssh(ssh.address()).https().http(), this::withRoutes)) {
            try (RawConnection shell = proxy.open();
                    RawConnection plain = proxy.open();
                    RawConnection secure = proxy.tls("http/1.1");
                    RawConnection unnegotiated = proxy.tls();
                    Http2Client client = Http2Client.open(proxy.tls("h2"))) {
                assertThat(shell.send(BANNER).readLine()).isEqualTo("ssh\r\n");
                assertThat(shell.read(BANNER.length() + 1)).isEqualTo(BANNER.replace("¶", "\r\n"));
                assertThat(plain.send(GET).readResponse()).endsWith("routes");
                assertThat(secure.send(GET).readResponse()).endsWith("routes");
                assertThat(unnegotiated.send(GET).readResponse()).endsWith("routes");
                client.request(1, "GET", "/", "localhost");
                assertThat(client.answer(1)).isEqualTo("200");
                await().untilAsserted(
                                () -> assertThat(proxy.rule("https").open()).isPositive());
                await().untilAsserted(() -> assertThat(proxy.rule("ssh").open()).isEqualTo(1));
                shell.send("more").shutdownOutput();
                assertThat(shell.readAll()).isEqualTo("moreend");
            }
            await().untilAsserted(() ->
                    assertThat(proxy.server().status().connections()).isZero());
            assertThat(proxy.rule("ssh")).isEqualTo(new RuleData(proxy.endpointName(), "ssh", 0, 1, 0, 0, List.of()));
            assertThat(proxy.rule("https"))
                    .isEqualTo(new RuleData(proxy.endpointName(), "https", 0, 3, 0, 0, List.of()));
            assertThat(proxy.rule("http")).isEqualTo(new RuleData(proxy.endpointName(), "http", 0, 1, 0, 0, List.of()));
            assertThat(proxy.server().uri()).hasToString("https://localhost:" + proxy.port() + "/");
        }
    }

    @Test
    void onlyWhoIsSilentGetsTheSilentTarget() throws Exception {
        try (TestPort proxy = TestPort.start(
                        TlsProvider.AUTO,
                        port -> port.http(other.address()).silent(ssh.address()).detectTime(Duration.ofMillis(500)));
                RawConnection speaks = proxy.open().send("GE");
                RawConnection ends = proxy.open()) {
            ends.shutdownOutput();
            RawConnection silent = proxy.open();
            assertThat(silent.readLine()).isEqualTo("ssh\r\n");
            assertThat(silent.send("a").read(1)).isEqualTo("a");
            assertThat(ends.end()).isEqualTo("end");
            // no limit of the detection is left, and who began to speak is still waited for
            assertThat(speaks.send("T / HTTP/1.1¶¶").readLine()).isEqualTo("other\r\n");
            assertThat(speaks.read(18)).isEqualTo("GET / HTTP/1.1\r\n\r\n");
            silent.close();
            await().untilAsserted(() -> assertThat(proxy.rule("silent").total()).isEqualTo(1));
            await().untilAsserted(() ->
                    assertThat(proxy.undetected(RelayEnd.UNDETECTED_ENDED)).isEqualTo(1));
            assertThat(proxy.server().uri()).hasToString("tcp://localhost:" + proxy.port());
        }
    }

    @Test
    void silentClientIsClosedAndCountedWhereNoTargetIsForIt() throws Exception {
        try (TestPort proxy = TestPort.start(
                        TlsProvider.AUTO,
                        port -> port.ssh(ssh.address())
                                .otherwise(other.address())
                                .detectTime(Duration.ofMillis(50)));
                RawConnection silent = proxy.open()) {
            assertThat(silent.end()).isEqualTo("end");
            await().untilAsserted(() ->
                    assertThat(proxy.undetected(RelayEnd.UNDETECTED_SILENT)).isEqualTo(1));
            assertThat(other.connections()).isZero();
        }
    }

    @Test
    void whatNoRuleTakesGoesElsewhereOrIsClosedAndCounted() throws Exception {
        try (TestPort open = TestPort.start(
                        TlsProvider.AUTO, port -> port.ssh(ssh.address()).otherwise(other.address()));
                TestPort closed = TestPort.start(TlsProvider.AUTO, port -> port.ssh(ssh.address()))) {
            for (String said : List.of("SSX", "\0", "SSH-3", "GET / HTTP/1.1¶")) {
                try (RawConnection relayed = open.open().send(said);
                        RawConnection refused = closed.open().send(said)) {
                    assertThat(relayed.readLine()).isEqualTo("other\r\n");
                    String sent = said.replace("¶", "\r\n");
                    assertThat(relayed.read(sent.length())).isEqualTo(sent);
                    assertThat(refused.end()).isIn("end", "reset");
                }
            }
            await().untilAsserted(() ->
                    assertThat(closed.undetected(RelayEnd.UNDETECTED_UNKNOWN)).isEqualTo(4));
            assertThat(open.server().status().undetected()).isEqualTo(Map.of(open.endpointName(), Map.of()));
            assertThat(ssh.connections()).isZero();
        }
    }

    /** RFC 793 section 3.5: who says no more may still hear. */
    @Test
    void endRightBehindTheFirstBytesIsAHalfClose() throws Exception {
        try (TestPort proxy = TestPort.start(
                TlsProvider.AUTO,
                port -> port.ssh(ssh.address())
                        .tls(Sni.of("a.example"), ssh.address())
                        .silent(ssh.address())
                        .otherwise(other.address()))) {
            byte[] hello = Hellos.with(Hellos.serverName("A.Example."), Hellos.padding(3000));
            for (String said : List.of(BANNER.replace("¶", "\r\n"), new String(hello, ISO_8859_1), "SS", "?")) {
                try (RawConnection client = proxy.open()) {
                    client.send(said.getBytes(ISO_8859_1)).shutdownOutput();
                    assertThat(client.readAll())
                            .isEqualTo((said.length() > 2 ? "ssh" : "other") + "\r\n" + said + "end");
                }
            }
        }
    }

    @Test
    void firstBytesMayComeOneByOneAndReachTheTargetAsTheyWere() throws Exception {
        byte[] hello = Hellos.inRecords(Hellos.with(Hellos.serverName("a.example"), Hellos.padding(400)), 100);
        try (TestPort proxy = TestPort.start(
                TlsProvider.AUTO,
                port -> port.tls(Sni.of("b.example"), ssh.address())
                        .ssh(ssh.address())
                        .tls(Sni.of("*.example"), other.address()))) {
            for (int piece : new int[] {1, 7, hello.length - 1}) {
                try (RawConnection client = proxy.open()) {
                    for (int at = 0; at < hello.length; at += piece) {
                        client.send(Arrays.copyOfRange(hello, at, Math.min(hello.length, at + piece)));
                    }
                    client.send("behind").shutdownOutput();
                    assertThat(client.readAll()).isEqualTo("other\r\n" + new String(hello, ISO_8859_1) + "behindend");
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    void helloThatNoRuleTakesAndMalformedHelloGetAnAlert(TlsProvider provider) throws Exception {
        byte[] foreign = Hellos.with(Hellos.serverName("c.example"));
        byte[] malformed = Hellos.with(Hellos.padding(1), Hellos.padding(1));
        try (TestPort alone = TestPort.start(
                        provider,
                        port -> port.tls(Sni.of("a.example"), ssh.address()).https(Sni.of("host.example")),
                        this::withRoutes);
                TestPort otherwise = TestPort.start(
                        provider,
                        port -> port.tls(Sni.of("a.example"), ssh.address()).otherwise(other.address()))) {
            // RFC 6066 section 3: unrecognized_name; RFC 8446 section 6.2: illegal_parameter
            assertThat(answered(alone, foreign)).containsExactly(21, 3, 3, 0, 2, 2, 112);
            assertThat(answered(alone, malformed)).containsExactly(21, 3, 3, 0, 2, 2, 47);
            assertThat(answered(otherwise, malformed)).containsExactly(21, 3, 3, 0, 2, 2, 47);
            assertThat(new String(answered(otherwise, foreign), ISO_8859_1)).startsWith("other\r\n\u0016\u0003");
            await().untilAsserted(() ->
                    assertThat(alone.undetected(RelayEnd.UNDETECTED_UNKNOWN)).isEqualTo(1));
            await().untilAsserted(() ->
                    assertThat(alone.undetected(RelayEnd.UNDETECTED_MALFORMED)).isEqualTo(1));
            try (RawConnection served = alone.tlsFor("host.example", "http/1.1")) {
                assertThat(served.send(GET).readResponse()).endsWith("routes");
            }
        }
    }

    private static byte[] answered(TestPort proxy, byte[] sent) throws IOException {
        try (RawConnection connection = proxy.open()) {
            connection.send(sent).shutdownOutput();
            return connection.readAll().getBytes(ISO_8859_1);
        }
    }

    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    void insideOfTlsGoesByRulesOfItsOwn(TlsProvider provider) throws Exception {
        try (TestPort proxy = TestPort.start(
                provider,
                port -> port.tls(
                                Sni.of("host.example"),
                                inside -> inside.ssh(ssh.address())
                                        .silent(other.address())
                                        .otherwise(other.address())
                                        .detectTime(Duration.ofSeconds(1)))
                        .ssh(other.address()),
                this::withRoutes)) {
            try (RawConnection silent = proxy.tlsFor("host.example");
                    RawConnection shell = proxy.tlsFor("host.example").send(BANNER);
                    RawConnection foreign = proxy.tlsFor("host.example").send("?");
                    RawConnection http = proxy.tlsFor("host.example").send(GET);
                    RawConnection negotiated =
                            proxy.tlsFor("host.example", "http/1.1").send(BANNER + "¶");
                    Http2Client http2 = Http2Client.open(proxy.tlsFor("host.example", "h2"))) {
                http2.request(1, "GET", "/", "host.example");
                assertThat(http2.answer(1)).isEqualTo("200");
                assertThat(shell.readLine()).isEqualTo("ssh\r\n");
                assertThat(shell.read(BANNER.length() + 1)).isEqualTo(BANNER.replace("¶", "\r\n"));
                assertThat(foreign.readLine()).isEqualTo("other\r\n");
                assertThat(http.readResponse()).endsWith("routes");
                // who has offered a protocol isn't looked into
                assertThat(negotiated.readResponse()).startsWith("HTTP/1.1 400 ");
                assertThat(silent.readLine()).isEqualTo("other\r\n");
            }
            await().untilAsserted(() ->
                    assertThat(proxy.server().status().connections()).isZero());
            await().untilAsserted(() ->
                    assertThat(proxy.rule("tls:host.example/ssh").total()).isEqualTo(1));
            await().untilAsserted(() ->
                    assertThat(proxy.rule("tls:host.example/silent").total()).isEqualTo(1));
            await().untilAsserted(() ->
                    assertThat(proxy.rule("tls:host.example/otherwise").total()).isEqualTo(1));
            await().untilAsserted(() ->
                    assertThat(proxy.rule("tls:host.example").total()).isEqualTo(3));
            await().untilAsserted(() -> assertThat(proxy.rule("ssh").total()).isZero());
        }
    }

    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    void insideWithoutTargetsForThemSilentAndForeignClientsAreClosed(TlsProvider provider) throws Exception {
        try (TestPort proxy = TestPort.start(
                provider,
                port -> port.tls(Sni.any(), inside -> inside.ssh(ssh.address()).detectTime(Duration.ofSeconds(1))),
                config -> config.certificates(TestProxy.certificates()))) {
            try (RawConnection silent = proxy.tls()) {
                assertThat(silent.end()).isIn("end", "reset");
                await().untilAsserted(() ->
                        assertThat(proxy.undetected(RelayEnd.UNDETECTED_SILENT)).isEqualTo(1));
            }
            try (RawConnection foreign = proxy.tls().send("?")) {
                assertThat(foreign.end()).isIn("end", "reset");
                await().untilAsserted(() -> assertThat(proxy.undetected(RelayEnd.UNDETECTED_UNKNOWN))
                        .isEqualTo(1));
            }
            try (RawConnection http = proxy.tls().send(GET)) {
                // there are no routes at all
                assertThat(http.readResponse()).startsWith("HTTP/1.1 404 ");
            }
        }
    }

    @Test
    void cleartextRequestsAreRedirectedToTheSamePort() throws Exception {
        try (TestPort proxy =
                        TestPort.start(TlsProvider.AUTO, port -> port.https().redirectHttp(), this::withRoutes);
                RawConnection plain = proxy.open();
                RawConnection secure = proxy.tls("http/1.1")) {
            assertThat(plain.send(GET).readResponse())
                    .startsWith("HTTP/1.1 301 ")
                    .containsIgnoringCase("location: https://localhost:" + proxy.port() + "/\r\n");
            assertThat(secure.send(GET).readResponse()).endsWith("routes");
        }
    }

    @Test
    void addressThatATrustedProxyNamesDecidesAndCounts() throws Exception {
        try (TestPort proxy = TestPort.start(
                TlsProvider.AUTO,
                port -> port.from(
                                "192.0.2.0/24",
                                some -> some.ssh(Relay.to(ssh.address()).withConnectionsPerAddress(1)))
                        .ssh(other.address())
                        .proxyProtocol(ProxyProtocol.REQUIRED),
                config -> config.trustedProxies("127.0.0.1"))) {
            String header = "PROXY TCP4 %s 127.0.0.1 1 2¶";
            try (RawConnection named = proxy.open();
                    RawConnection again = proxy.open();
                    RawConnection neighbour = proxy.open();
                    RawConnection foreign = proxy.open();
                    RawConnection unnamed = proxy.open()) {
                assertThat(named.send(header.formatted("192.0.2.7") + BANNER).readLine())
                        .isEqualTo("ssh\r\n");
                assertThat(again.send(header.formatted("192.0.2.7") + BANNER).end())
                        .isIn("end", "reset");
                assertThat(neighbour
                                .send(header.formatted("192.0.2.8") + BANNER)
                                .readLine())
                        .isEqualTo("ssh\r\n");
                assertThat(foreign.send(header.formatted("198.51.100.1") + BANNER)
                                .readLine())
                        .isEqualTo("other\r\n");
                assertThat(unnamed.send(BANNER).end()).isIn("end", "reset");
            }
        }
    }

    @Test
    void connectionWithoutTheHeaderThatItMustHaveIsCounted() throws Exception {
        try (TestPort proxy = TestPort.start(
                        TlsProvider.AUTO,
                        port -> port.ssh(ssh.address()).proxyProtocol(ProxyProtocol.REQUIRED),
                        config -> config.trustedProxies("127.0.0.1"));
                RawConnection none = proxy.open();
                RawConnection malformed = proxy.open();
                RawConnection ended = proxy.open()) {
            assertThat(none.send(BANNER).end()).isIn("end", "reset");
            await().untilAsserted(() ->
                    assertThat(proxy.undetected(RelayEnd.UNDETECTED_UNKNOWN)).isEqualTo(1));
            assertThat(malformed.send("PROXY TCP5 192.0.2.7 127.0.0.1 1 2¶").end())
                    .isIn("end", "reset");
            await().untilAsserted(() ->
                    assertThat(proxy.undetected(RelayEnd.UNDETECTED_MALFORMED)).isEqualTo(1));
            ended.shutdownOutput();
            assertThat(ended.end()).isIn("end", "reset");
            await().untilAsserted(() ->
                    assertThat(proxy.undetected(RelayEnd.UNDETECTED_ENDED)).isEqualTo(1));
        }
        try (TestPort proxy = TestPort.start(
                        TlsProvider.AUTO,
                        port -> port.ssh(ssh.address()).proxyProtocol(ProxyProtocol.REQUIRED),
                        config -> config.trustedProxies("192.0.2.1"));
                RawConnection foreign = proxy.open()) {
            assertThat(foreign.send("PROXY TCP4 192.0.2.7 127.0.0.1 1 2¶").end())
                    .isIn("end", "reset");
            await().untilAsserted(() ->
                    assertThat(proxy.undetected(RelayEnd.UNDETECTED_UNKNOWN)).isEqualTo(1));
        }
    }

    @Test
    void silentClientOfAProxyWaitsNoLongerWhereAHeaderMayCome() throws Exception {
        try (TestPort proxy = TestPort.start(
                        TlsProvider.AUTO,
                        port -> port.silent(ssh.address())
                                .detectTime(Duration.ofMillis(300))
                                .proxyProtocol(ProxyProtocol.OPTIONAL),
                        config -> config.trustedProxies("127.0.0.1"));
                RawConnection silent = proxy.open();
                RawConnection named = proxy.open().send("PROXY TCP4 192.0.2.7 127.0.0.1 1 2¶")) {
            long start = System.nanoTime();
            assertThat(silent.readLine()).isEqualTo("ssh\r\n");
            assertThat(named.readLine()).isEqualTo("ssh\r\n");
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(4));
        }
    }

    @Test
    void addressToOpenIsWhatTheRoutesAreReachedBy() {
        try (TestPort https = TestPort.start(
                        TlsProvider.AUTO,
                        port -> port.ssh(ssh.address()).https().http(),
                        this::withRoutes);
                TestPort http = TestPort.start(
                        TlsProvider.AUTO,
                        port -> port.tls(other.address()).http(),
                        config -> config.forward(routes.uri()));
                TestPort second = TestPort.start(
                        TlsProvider.AUTO, port -> port.ssh(ssh.address()), config -> withRoutes(config.https(0)));
                TestPort tcp = TestPort.start(TlsProvider.AUTO, port -> port.tls(other.address()))) {
            assertThat(https.server().uri()).hasToString("https://localhost:" + https.port() + "/");
            assertThat(http.server().uri()).hasToString("http://localhost:" + http.port() + "/");
            assertThat(second.server().uri())
                    .hasToString("https://localhost:"
                            + second.server().endpoints().get(1).address().getPort() + "/");
            assertThat(tcp.server().uri()).hasToString("tcp://localhost:" + tcp.port());
            assertThat(tcp.server().status().tlsProvider()).isEmpty();
            URI open = tcp.server().uri();
            tcp.close();
            assertThat(tcp.server().uri()).isEqualTo(open);
        }
    }
}
