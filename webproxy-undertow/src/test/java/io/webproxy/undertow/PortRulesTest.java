package io.webproxy.undertow;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyConfig;
import org.junit.jupiter.api.Test;
import io.webproxy.testing.Hellos;
import io.webproxy.port.Sni;
import io.webproxy.port.Relay;
import io.webproxy.ProxyServer;
import io.webproxy.ProxyStatus;
import io.webproxy.http.ProxyProtocol;
import io.webproxy.observe.RelayEnd;
import io.webproxy.port.PortBuilder;
import io.webproxy.testing.Http2Client;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.TestProxy;
import io.webproxy.tls.TlsProvider;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
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
        ssh = echo("ssh");
        other = echo("other");
    }

    /** Says its name and a line end; then all that it gets, up to the end, and that it was the end. */
    private static RawUpstream echo(String name) throws IOException {
        return RawUpstream.start(client -> {
            client.send(name + "¶");
            byte[] some = new byte[4096];
            for (int count = client.read(some, some.length); count >= 0; count = client.read(some, some.length)) {
                client.send(Arrays.copyOf(some, count));
            }
            client.send("end");
        });
    }

    @AfterEach
    void stopTargets() throws IOException {
        routes.close();
        ssh.close();
        other.close();
    }

    private static String at(RawUpstream target) {
        return "127.0.0.1:" + target.port();
    }

    private ProxyServer proxy(TlsProvider provider, Consumer<PortBuilder> rules) {
        return proxy(provider, rules, config -> {});
    }

    private ProxyServer proxy(TlsProvider provider, Consumer<PortBuilder> rules, Consumer<ProxyConfig.Builder> more) {
        ProxyConfig.Builder config = ProxyServer.builder()
                .bind("127.0.0.1")
                .ioThreads(2)
                .drainTime(Duration.ZERO)
                .tlsProvider(provider)
                .listen(0, port -> {
                    port.name("port");
                    rules.accept(port);
                });
        more.accept(config);
        return config.start();
    }

    private void withRoutes(ProxyConfig.Builder config) {
        config.forward(routes.uri()).certificates(TestProxy.certificates());
    }

    private static int port(ProxyServer proxy) {
        return proxy.endpoints().get(0).address().getPort();
    }

    private static RawConnection tls(ProxyServer proxy, String... alpn) throws IOException {
        return RawConnection.openTls(port(proxy), TestProxy.trust().sslSocketFactory(), alpn);
    }

    private static ProxyStatus.Rule rule(ProxyServer proxy, String name) {
        return proxy.status().ports().get(0).rules().stream()
                .filter(rule -> rule.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static long undetected(ProxyServer proxy, RelayEnd why) {
        return proxy.status().ports().get(0).undetected().getOrDefault(why, 0L);
    }

    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    void sshHttpAndHttpsShareAPort(TlsProvider provider) throws Exception {
        try (ProxyServer proxy =
                proxy(provider, port -> port.ssh(at(ssh)).https().http(), this::withRoutes)) {
            try (RawConnection shell = RawConnection.open(port(proxy));
                    RawConnection plain = RawConnection.open(port(proxy));
                    RawConnection secure = tls(proxy, "http/1.1");
                    RawConnection unnegotiated = tls(proxy);
                    Http2Client client = Http2Client.open(tls(proxy, "h2"))) {
                assertThat(shell.send(BANNER).readLine()).isEqualTo("ssh\r\n");
                assertThat(shell.read(BANNER.length() + 1)).isEqualTo(BANNER.replace("¶", "\r\n"));
                assertThat(plain.send(GET).readResponse()).endsWith("routes");
                assertThat(secure.send(GET).readResponse()).endsWith("routes");
                assertThat(unnegotiated.send(GET).readResponse()).endsWith("routes");
                client.request(1, "GET", "/", "localhost");
                assertThat(client.answer(1)).isEqualTo("200");
                assertThat(rule(proxy, "https").open()).isPositive();
                assertThat(rule(proxy, "ssh").open()).isEqualTo(1);
                shell.send("more").shutdownOutput();
                assertThat(shell.readAll()).isEqualTo("moreend");
            }
            await().untilAsserted(() -> assertThat(proxy.status().connections()).isZero());
            assertThat(rule(proxy, "ssh")).isEqualTo(new ProxyStatus.Rule("ssh", 0, 1, 0, 0, List.of()));
            assertThat(rule(proxy, "https")).isEqualTo(new ProxyStatus.Rule("https", 0, 3, 0, 0, List.of()));
            assertThat(rule(proxy, "http")).isEqualTo(new ProxyStatus.Rule("http", 0, 1, 0, 0, List.of()));
            assertThat(proxy.uri()).hasToString("https://localhost:" + port(proxy) + "/");
        }
    }

    @Test
    void onlyWhoIsSilentGetsTheSilentTarget() throws Exception {
        try (ProxyServer proxy = proxy(
                        TlsProvider.AUTO,
                        port -> port.http(at(other)).silent(at(ssh)).detectTime(Duration.ofMillis(200)));
                RawConnection silent = RawConnection.open(port(proxy));
                RawConnection speaks = RawConnection.open(port(proxy));
                RawConnection ends = RawConnection.open(port(proxy))) {
            speaks.send("GE");
            ends.shutdownOutput();
            assertThat(silent.readLine()).isEqualTo("ssh\r\n");
            assertThat(silent.send("a").read(1)).isEqualTo("a");
            assertThat(ends.end()).isEqualTo("end");
            // no limit of the detection is left, and who began to speak is still waited for
            assertThat(speaks.send("T / HTTP/1.1¶¶").readLine()).isEqualTo("other\r\n");
            assertThat(speaks.read(18)).isEqualTo("GET / HTTP/1.1\r\n\r\n");
            assertThat(rule(proxy, "silent").total()).isEqualTo(1);
            assertThat(undetected(proxy, RelayEnd.UNDETECTED_ENDED)).isEqualTo(1);
            assertThat(proxy.uri()).hasToString("tcp://localhost:" + port(proxy));
        }
    }

    @Test
    void silentClientIsClosedAndCountedWhereNoTargetIsForIt() throws Exception {
        try (ProxyServer proxy = proxy(
                        TlsProvider.AUTO,
                        port -> port.ssh(at(ssh)).otherwise(at(other)).detectTime(Duration.ofMillis(50)));
                RawConnection silent = RawConnection.open(port(proxy))) {
            assertThat(silent.end()).isEqualTo("end");
            assertThat(undetected(proxy, RelayEnd.UNDETECTED_SILENT)).isEqualTo(1);
            assertThat(other.connections()).isZero();
        }
    }

    @Test
    void whatNoRuleTakesGoesElsewhereOrIsClosedAndCounted() throws Exception {
        try (ProxyServer open = proxy(TlsProvider.AUTO, port -> port.ssh(at(ssh)).otherwise(at(other)));
                ProxyServer closed = proxy(TlsProvider.AUTO, port -> port.ssh(at(ssh)))) {
            for (String said : List.of("SSX", "\0", "SSH-3", "GET / HTTP/1.1¶")) {
                try (RawConnection relayed = RawConnection.open(port(open));
                        RawConnection refused = RawConnection.open(port(closed))) {
                    assertThat(relayed.send(said).readLine()).isEqualTo("other\r\n");
                    String sent = said.replace("¶", "\r\n");
                    assertThat(relayed.read(sent.length())).isEqualTo(sent);
                    assertThat(refused.send(said).end()).isIn("end", "reset");
                }
            }
            assertThat(undetected(closed, RelayEnd.UNDETECTED_UNKNOWN)).isEqualTo(4);
            assertThat(open.status().ports().get(0).undetected()).isEmpty();
            assertThat(ssh.connections()).isZero();
        }
    }

    /** RFC 793 section 3.5: who says no more may still hear. */
    @Test
    void endRightBehindTheFirstBytesIsAHalfClose() throws Exception {
        try (ProxyServer proxy = proxy(
                TlsProvider.AUTO,
                port -> port.ssh(at(ssh))
                        .tls(Sni.of("a.example"), at(ssh))
                        .silent(at(ssh))
                        .otherwise(at(other)))) {
            byte[] hello = Hellos.with(Hellos.serverName("A.Example."), Hellos.padding(3000));
            for (String said : List.of(BANNER.replace("¶", "\r\n"), new String(hello, ISO_8859_1), "SS", "?")) {
                try (RawConnection client = RawConnection.open(port(proxy))) {
                    client.send(said.getBytes(ISO_8859_1)).shutdownOutput();
                    assertThat(client.readAll()).isEqualTo((said.length() > 2 ? "ssh" : "other") + "\r\n" + said + "end");
                }
            }
        }
    }

    @Test
    void firstBytesMayComeOneByOneAndReachTheTargetAsTheyWere() throws Exception {
        byte[] hello = Hellos.inRecords(Hellos.with(Hellos.serverName("a.example"), Hellos.padding(400)), 100);
        try (ProxyServer proxy = proxy(
                TlsProvider.AUTO,
                port -> port.tls(Sni.of("b.example"), at(ssh)).ssh(at(ssh)).tls(Sni.of("*.example"), at(other)))) {
            for (int piece : new int[] {1, 7, hello.length - 1}) {
                try (RawConnection client = RawConnection.open(port(proxy))) {
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
    void helloForNobodyAndMalformedHelloGetAnAlert(TlsProvider provider) throws Exception {
        byte[] foreign = Hellos.with(Hellos.serverName("c.example"));
        byte[] malformed = Hellos.with(Hellos.padding(1), Hellos.padding(1));
        try (ProxyServer alone = proxy(
                        provider,
                        port -> port.tls(Sni.of("a.example"), at(ssh)).https(Sni.of("host.example")),
                        this::withRoutes);
                ProxyServer otherwise =
                        proxy(provider, port -> port.tls(Sni.of("a.example"), at(ssh)).otherwise(at(other)))) {
            // RFC 6066 section 3: unrecognized_name; RFC 8446 section 6.2: illegal_parameter
            assertThat(answered(alone, foreign)).containsExactly(21, 3, 3, 0, 2, 2, 112);
            assertThat(answered(alone, malformed)).containsExactly(21, 3, 3, 0, 2, 2, 47);
            assertThat(answered(otherwise, malformed)).containsExactly(21, 3, 3, 0, 2, 2, 47);
            assertThat(new String(answered(otherwise, foreign), ISO_8859_1)).startsWith("other\r\n\u0016\u0003");
            assertThat(undetected(alone, RelayEnd.UNDETECTED_UNKNOWN)).isEqualTo(1);
            assertThat(undetected(alone, RelayEnd.UNDETECTED_MALFORMED)).isEqualTo(1);
            try (RawConnection served = named(alone, "http/1.1")) {
                assertThat(served.send(GET).readResponse()).endsWith("routes");
            }
        }
    }

    private static byte[] answered(ProxyServer proxy, byte[] sent) throws IOException {
        try (RawConnection connection = RawConnection.open(port(proxy))) {
            connection.send(sent).shutdownOutput();
            return connection.readAll().getBytes(ISO_8859_1);
        }
    }

    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    void insideOfTlsGoesByRulesOfItsOwn(TlsProvider provider) throws Exception {
        try (ProxyServer proxy = proxy(
                provider,
                port -> port.tls(
                                Sni.of("host.example"),
                                inside -> inside.ssh(at(ssh))
                                        .silent(at(other))
                                        .otherwise(at(other))
                                        .detectTime(Duration.ofSeconds(1)))
                        .ssh(at(other)),
                this::withRoutes)) {
            try (RawConnection silent = named(proxy);
                    RawConnection shell = named(proxy).send(BANNER);
                    RawConnection foreign = named(proxy).send("?");
                    RawConnection http = named(proxy).send(GET);
                    RawConnection negotiated = named(proxy, "http/1.1").send(BANNER + "¶");
                    Http2Client http2 = Http2Client.open(named(proxy, "h2"))) {
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
            await().untilAsserted(() -> assertThat(proxy.status().connections()).isZero());
            assertThat(rule(proxy, "tls:host.example/ssh").total()).isEqualTo(1);
            assertThat(rule(proxy, "tls:host.example/silent").total()).isEqualTo(1);
            assertThat(rule(proxy, "tls:host.example/otherwise").total()).isEqualTo(1);
            assertThat(rule(proxy, "tls:host.example").total()).isEqualTo(3);
            assertThat(rule(proxy, "ssh").total()).isZero();
        }
    }

    /** Over TLS for a host that the client names. */
    private static RawConnection named(ProxyServer proxy, String... alpn) throws IOException {
        return RawConnection.openTlsFor(
                "host.example", port(proxy), TestProxy.trust().sslSocketFactory(), alpn);
    }

    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    void insideWithoutTargetsForThemSilentAndForeignClientsAreClosed(TlsProvider provider) throws Exception {
        try (ProxyServer proxy = proxy(
                provider,
                port -> port.tls(Sni.any(), inside -> inside.ssh(at(ssh)).detectTime(Duration.ofSeconds(1))),
                config -> config.certificates(TestProxy.certificates()))) {
            try (RawConnection silent = tls(proxy)) {
                assertThat(silent.end()).isIn("end", "reset");
                assertThat(undetected(proxy, RelayEnd.UNDETECTED_SILENT)).isEqualTo(1);
            }
            try (RawConnection foreign = tls(proxy).send("?")) {
                assertThat(foreign.end()).isIn("end", "reset");
                assertThat(undetected(proxy, RelayEnd.UNDETECTED_UNKNOWN)).isEqualTo(1);
            }
            try (RawConnection http = tls(proxy).send(GET)) {
                // there are no routes at all
                assertThat(http.readResponse()).startsWith("HTTP/1.1 404 ");
            }
        }
    }

    @Test
    void cleartextRequestsAreRedirectedToTheSamePort() throws Exception {
        try (ProxyServer proxy =
                        proxy(TlsProvider.AUTO, port -> port.https().redirectHttp(), this::withRoutes);
                RawConnection plain = RawConnection.open(port(proxy));
                RawConnection secure = tls(proxy, "http/1.1")) {
            assertThat(plain.send(GET).readResponse())
                    .startsWith("HTTP/1.1 301 ")
                    .containsIgnoringCase("location: https://localhost:" + port(proxy) + "/\r\n");
            assertThat(secure.send(GET).readResponse()).endsWith("routes");
        }
    }

    @Test
    void addressThatATrustedProxyNamesDecidesAndCounts() throws Exception {
        try (ProxyServer proxy = proxy(
                TlsProvider.AUTO,
                port -> port.from("192.0.2.0/24", some -> some.ssh(Relay.to(at(ssh)).withConnectionsPerAddress(1)))
                        .ssh(at(other))
                        .proxyProtocol(ProxyProtocol.REQUIRED),
                config -> config.trustedProxies("127.0.0.1"))) {
            String header = "PROXY TCP4 %s 127.0.0.1 1 2¶";
            try (RawConnection named = RawConnection.open(port(proxy));
                    RawConnection again = RawConnection.open(port(proxy));
                    RawConnection neighbour = RawConnection.open(port(proxy));
                    RawConnection foreign = RawConnection.open(port(proxy));
                    RawConnection unnamed = RawConnection.open(port(proxy))) {
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
}
