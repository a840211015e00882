package io.webproxy.blackbox.ports;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyConfig;
import io.webproxy.observe.RelayEnd;
import io.webproxy.port.PortBuilder;
import io.webproxy.port.Sni;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.Hellos;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestPort;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Clients of a shared port that mean no good, or are broken. */
@ExtendWith(LeakCheck.class)
class PortAbuseTest {
    private static final String GET = "GET / HTTP/1.1¶Host: localhost¶¶";
    private static final byte[] HELLO = Hellos.with(Hellos.serverName("host.example"), Hellos.padding(1400));

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

    private TestPort start(TlsProvider provider, Duration detectTime) {
        return TestPort.start(
                provider,
                port -> rules(port).detectTime(detectTime),
                config -> config.forward(routes.uri()).certificates(TestProxy.certificates()));
    }

    private PortBuilder rules(PortBuilder port) {
        return port.ssh(ssh.address())
                .tls(Sni.of("passed.example"), other.address())
                .tls(Sni.of("host.example"), inside -> inside.ssh(ssh.address()))
                .https()
                .http();
    }

    private static void assertServed(RawConnection bystander, RawConnection shell) throws IOException {
        assertThat(bystander.send(GET).readResponse()).endsWith("routes");
        assertThat(shell.send("x").read(1)).isEqualTo("x");
    }

    private static RawConnection shell(TestPort proxy) throws IOException {
        RawConnection shell = proxy.open().send("SSH-2.0-x¶");
        assertThat(shell.read(16)).isEqualTo("ssh\r\nSSH-2.0-x\r\n");
        return shell;
    }

    private static long direct() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }

    @Test
    void thousandWhoSayLittleHoldNoBuffersAndDisturbNoOther() throws Exception {
        List<RawConnection> held = new ArrayList<>();
        try (TestPort proxy = start(TlsProvider.AUTO, Duration.ofSeconds(5));
                RawConnection bystander = proxy.open();
                RawConnection shell = shell(proxy)) {
            assertServed(bystander, shell);
            long before = direct();
            try {
                for (int i = 0; i < 1000; i++) {
                    // nothing, the start of a banner, and a hello that isn't whole
                    byte[] said = i % 3 == 0
                            ? new byte[0]
                            : i % 3 == 1 ? "SSH-".getBytes(ISO_8859_1) : Arrays.copyOf(HELLO, 1 + i);
                    held.add(proxy.open().send(said));
                    if (i % 100 == 0) {
                        assertServed(bystander, shell);
                    }
                }
                await().until(() -> proxy.server().status().connections() == 1002);
                assertThat(direct() - before)
                        .as("a pooled buffer for each would take 16 MB")
                        .isLessThan(2 << 20);
                assertServed(bystander, shell);
                // one of them goes on after all
                RawConnection slow = held.get(1);
                assertThat(slow.send("2.0-y¶").read(16)).isEqualTo("ssh\r\nSSH-2.0-y\r\n");
            } finally {
                for (RawConnection each : held) {
                    each.close();
                }
            }
            await().until(() -> proxy.server().status().connections() == 2);
            assertServed(bystander, shell);
            await().untilAsserted(
                            () -> assertThat(proxy.server().status().failed()).isZero());
        }
    }

    @Test
    @ExpectedLog(contains = "Refusing connections: ")
    void startsOfLongHellosShareAPartOfTheHeap() throws Exception {
        byte[] hello = Hellos.inRecords(Hellos.with(Hellos.padding(16_000)), 10);
        byte[] start = Arrays.copyOf(hello, hello.length - 1);
        long room = Runtime.getRuntime().maxMemory() / 64;
        List<RawConnection> held = new ArrayList<>();
        try (TestPort proxy = start(TlsProvider.AUTO, Duration.ofSeconds(5));
                RawConnection bystander = proxy.open();
                RawConnection shell = shell(proxy)) {
            try {
                for (long sent = 0; sent < 2 * room && proxy.server().status().refused() == 0; sent += start.length) {
                    held.add(proxy.open().send(start));
                }
                await().until(() -> proxy.server().status().refused() > 0);
                assertServed(bystander, shell);
                // what usual clients send first has room
                try (RawConnection usual = proxy.tls("http/1.1")) {
                    assertThat(usual.send(GET).readResponse()).endsWith("routes");
                }
            } finally {
                for (RawConnection each : held) {
                    each.close();
                }
            }
            await().until(() -> proxy.server().status().connections() <= 2);
            try (RawConnection late = proxy.open().send(start)) {
                assertThat(late.send(Arrays.copyOfRange(hello, start.length, hello.length))
                                .readByte())
                        .as("an alert or a hello")
                        .isIn(21, 22);
            }
        }
    }

    /** The limit of each is in force although the client sends on; none of them is left for what was decided. */
    @Test
    void slowHelloEndsAfterFiveSecondsAndSlowHandshakeAfterTen() throws Exception {
        byte[] whole = Hellos.of(TestProxy.trust().sslContext(), "host.example", new String[] {"TLSv1.3"});
        TestClock clock = new TestClock();
        TestClock ofJdk = new TestClock();
        TestClock ofOther = new TestClock();
        Consumer<ProxyConfig.Builder> routed =
                config -> config.forward(routes.uri()).certificates(TestProxy.certificates());
        Consumer<PortBuilder> brief = port -> rules(port).detectTime(Duration.ofSeconds(2));
        try (TestPort proxy = TestPort.start(TlsProvider.AUTO, clock, brief, routed);
                TestPort jdk = TestPort.start(TlsProvider.JDK, ofJdk, brief, routed);
                TestPort elsewhere = TestPort.start(
                        TlsProvider.AUTO,
                        ofOther,
                        port -> port.ssh(ssh.address())
                                .silent(ssh.address())
                                .otherwise(other.address())
                                .detectTime(Duration.ofSeconds(2)),
                        config -> {});
                RawConnection shell = shell(proxy);
                RawConnection idle = proxy.tls("http/1.1");
                RawConnection handshake = proxy.open().send(whole);
                RawConnection handshakeOfJdk = jdk.open().send(whole);
                RawConnection partial = proxy.open().send(Arrays.copyOf(HELLO, 700));
                RawConnection undecided = elsewhere.open().send("SSH-");
                RawConnection trickling = proxy.open().send(Arrays.copyOf(HELLO, 100))) {
            List<TestClock> both = List.of(clock, ofJdk);
            await().until(() -> connections(proxy) == 5 && connections(jdk) == 1 && connections(elsewhere) == 1);
            ofOther.passAndLook(Duration.ofSeconds(5).minusNanos(1));
            assertThat(other.connections()).isZero();
            ofOther.pass(Duration.ofNanos(1));
            assertThat(undecided.readLine()).isEqualTo("other\r\n");
            assertThat(undecided.read(4)).isEqualTo("SSH-");

            for (TestClock each : both) {
                each.passAndLook(Duration.ofMillis(4_900));
            }
            trickling.send(Arrays.copyOfRange(HELLO, 100, 200));
            for (TestClock each : both) {
                each.passAndLook(Duration.ofMillis(100).minusNanos(1));
            }
            assertThat(connections(proxy)).isEqualTo(5);
            for (TestClock each : both) {
                each.pass(Duration.ofNanos(1));
            }
            assertThat(trickling.end()).isIn("end", "reset");
            assertThat(partial.end()).isEqualTo("end");

            for (TestClock each : both) {
                each.passAndLook(Duration.ofSeconds(5).minusNanos(1));
            }
            assertThat(connections(proxy)).isEqualTo(3);
            assertThat(connections(jdk)).isEqualTo(1);
            for (TestClock each : both) {
                each.pass(Duration.ofNanos(1));
            }
            assertThat(ended(handshake)).isIn("end", "reset");
            assertThat(ended(handshakeOfJdk)).isIn("end", "reset");
            assertServed(idle, shell);
            assertThat(undecided.send("x").read(1)).isEqualTo("x");
            await().untilAsserted(() ->
                    assertThat(proxy.undetected(RelayEnd.UNDETECTED_LATE)).isEqualTo(2));
            await().untilAsserted(() ->
                    assertThat(proxy.undetected(RelayEnd.UNDETECTED_MALFORMED)).isEqualTo(1));
        }
    }

    private static int connections(TestPort proxy) {
        return proxy.server().status().connections();
    }

    /** Reads away what the server's side of a handshake is. */
    private static String ended(RawConnection connection) throws IOException {
        connection.socket().setSoTimeout(30_000);
        byte[] some = new byte[4096];
        try {
            while (connection.read(some, some.length) >= 0) {
                // the server's hello
            }
            return "end";
        } catch (SocketException e) {
            return "reset";
        }
    }

    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    void garbageBrokenHellosAndResetsDisturbNoOther(TlsProvider provider) throws Exception {
        Random random = new Random(7);
        try (TestPort proxy = start(provider, Duration.ofSeconds(5));
                RawConnection bystander = proxy.open();
                RawConnection shell = shell(proxy)) {
            for (int i = 0; i < 300; i++) {
                byte[] said = HELLO.clone();
                if (i % 3 == 0) {
                    random.nextBytes(said);
                } else if (i % 3 == 1) {
                    said[random.nextInt(200)] ^= (byte) (1 + random.nextInt(255));
                }
                RawConnection client = proxy.open();
                try (client) {
                    client.send(said);
                    if (i % 5 == 0) {
                        client.shutdownOutput();
                    } else {
                        client.reset();
                    }
                } catch (IOException e) {
                    // the proxy was faster
                }
                if (i % 50 == 0) {
                    assertServed(bystander, shell);
                }
            }
            await().until(() -> proxy.server().status().connections() == 2);
            assertServed(bystander, shell);
            await().untilAsserted(
                            () -> assertThat(proxy.server().status().failed()).isZero());
        }
    }

    /**
     * Each would cost a signature after all limits for handshakes, and may show another certificate than the one that
     * was checked.
     */
    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    void clientCannotRenegotiate(TlsProvider provider) throws Exception {
        try (TestPort proxy = start(provider, Duration.ofSeconds(2))) {
            for (String host : List.of("host.example", "localhost")) {
                SSLSocket socket =
                        (SSLSocket) TestProxy.trust().sslSocketFactory().createSocket("127.0.0.1", proxy.port());
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setProtocols(new String[] {"TLSv1.2"});
                parameters.setServerNames(List.of(new SNIHostName(host)));
                socket.setSSLParameters(parameters);
                socket.startHandshake();
                try (RawConnection client = new RawConnection(socket)) {
                    if (host.equals("localhost")) {
                        assertThat(client.send(GET).readResponse()).endsWith("routes");
                    } else {
                        assertThat(client.send("SSH-2.0-x¶").read(16)).startsWith("ssh");
                    }
                    assertThatThrownBy(() -> {
                                socket.startHandshake();
                                client.send(GET).readHead();
                            })
                            .isInstanceOf(IOException.class);
                }
            }
        }
    }
}
