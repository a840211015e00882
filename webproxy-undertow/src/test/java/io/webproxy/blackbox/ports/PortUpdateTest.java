package io.webproxy.blackbox.ports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyConfigException;
import io.webproxy.ProxyStartException;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.observe.RelayEnd;
import io.webproxy.observe.RelayRecord;
import io.webproxy.port.BytePattern;
import io.webproxy.port.PortBuilder;
import io.webproxy.port.Relay;
import io.webproxy.port.Sni;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.tls.Certificates;
import io.webproxy.undertow.testing.TestPort;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rules that change while connections live. */
@ExtendWith(LeakCheck.class)
class PortUpdateTest {
    private static final String GET = "GET / HTTP/1.1¶Host: host.example¶¶";
    private static final String BANNER = "SSH-2.0-x¶";

    private RawUpstream routes;
    private RawUpstream first;
    private RawUpstream second;

    @BeforeEach
    void startTargets() throws IOException {
        routes = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 6¶¶routes");
        first = RawUpstream.echoing("first");
        second = RawUpstream.echoing("second");
    }

    @AfterEach
    void stopTargets() throws IOException {
        routes.close();
        first.close();
        second.close();
    }

    private TestPort start(TlsProvider provider, Consumer<PortBuilder> rules) {
        return TestPort.start(
                provider, rules, config -> config.forward(routes.uri()).certificates(TestProxy.certificates()));
    }

    private static RawConnection relayed(RawConnection client, String target) throws IOException {
        assertThat(client.send(BANNER).readLine()).isEqualTo(target + "\r\n");
        assertThat(client.readLine()).isEqualTo("SSH-2.0-x\r\n");
        return client;
    }

    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    void twentyUpdatesEndNothing(TlsProvider provider) throws Exception {
        Consumer<PortBuilder> some = port -> port.ssh(first.address())
                .tls(Sni.of("host.example"), inside -> inside.ssh(first.address()))
                .http();
        Consumer<PortBuilder> others = port -> port.name("port")
                .match("other", BytePattern.of("21"), second.address())
                .ssh(Relay.to(second.address()).withConnections(1000))
                .https();
        List<RawConnection> live = new ArrayList<>();
        try (TestPort proxy = start(provider, some)) {
            int port = proxy.port();
            RawConnection http = proxy.open();
            live.add(http);
            assertThat(http.send(GET).readResponse()).endsWith("routes");
            try {
                for (int i = 0; i < 20; i++) {
                    boolean now = i % 2 == 0;
                    live.add(relayed(proxy.open(), now ? "first" : "second"));
                    try (RawConnection secure = proxy.tlsFor("host.example")) {
                        if (now) {
                            relayed(secure, "first");
                        } else {
                            assertThat(secure.send(GET).readResponse()).endsWith("routes");
                        }
                    }
                    proxy.update(now ? others : some);
                    for (int at = 1; at < live.size(); at++) {
                        assertThat(live.get(at).send("x").read(1)).isEqualTo("x");
                    }
                    assertThat(http.send(GET).readResponse()).endsWith("routes");
                }
                assertThat(proxy.port()).isEqualTo(port);
                await().untilAsserted(
                                () -> assertThat(proxy.rule("ssh").total()).isEqualTo(20));
                await().untilAsserted(() -> assertThat(proxy.rule("ssh").open()).isEqualTo(20));
                for (RawConnection connection : live.subList(1, live.size())) {
                    connection.shutdownOutput();
                    assertThat(connection.readAll()).isEqualTo("end");
                }
            } finally {
                for (RawConnection connection : live) {
                    connection.close();
                }
            }
        }
    }

    @Test
    void relayOfARemovedRuleLivesUntilItsOwnEnd() throws Exception {
        try (TestPort proxy = TestPort.start(TlsProvider.AUTO, port -> port.ssh(first.address()));
                RawConnection live = relayed(proxy.open(), "first")) {
            proxy.update(port -> port.socks5(second.address()));
            assertThat(live.send("x").read(1)).isEqualTo("x");
            try (RawConnection late = proxy.open().send(BANNER)) {
                assertThat(late.end()).isIn("end", "reset");
            }
            assertThat(proxy.rule("ssh").open())
                    .as("a removed rule with a connection")
                    .isEqualTo(1);
            live.shutdownOutput();
            assertThat(live.readAll()).isEqualTo("end");
        }
    }

    @Test
    void updateThatFailsChangesNoRule(@TempDir Path directory) throws Exception {
        Path missing = directory.resolve("missing.pem");
        try (TestPort proxy = TestPort.start(
                TlsProvider.AUTO, port -> port.ssh(first.address()).http(), config -> config.forward(routes.uri()))) {
            assertThatThrownBy(() -> proxy.server()
                            .update(config -> config.listen(
                                            0,
                                            port -> port.name("port")
                                                    .ssh(second.address())
                                                    .https())
                                    .certificates(Certificates.pem(missing, missing))))
                    .isInstanceOf(ProxyStartException.class);
            assertThatThrownBy(() -> proxy.update(port -> {})).isInstanceOf(ProxyConfigException.class);
            assertThatThrownBy(() -> proxy.update(port -> port.ssh("localhost:" + proxy.port())))
                    .isInstanceOf(ProxyStartException.class)
                    .hasMessageContaining("rule ssh: its target localhost:" + proxy.port() + " leads back to");
            relayed(proxy.open(), "first").close();
            assertThat(proxy.server()
                            .config()
                            .listens()
                            .get(0)
                            .rules()
                            .orElseThrow()
                            .rules())
                    .hasSize(2);
        }
    }

    @Test
    void removedEndpointIsAcceptedAtNoMoreAndItsRelaysAreCutAfterTheDrainTime() throws Exception {
        try (TestPort proxy = TestPort.start(
                        TlsProvider.AUTO,
                        port -> port.ssh(first.address()),
                        config -> config.listen(0, port -> port.ssh(second.address()))
                                .drainTime(Duration.ofSeconds(2)));
                RawConnection live = relayed(proxy.open(), "first");
                RawConnection undecided = proxy.open().send("SS")) {
            proxy.server().update(config -> config.removeEndpoint("port"));
            assertThat(live.send("x").read(1)).isEqualTo("x");
            assertThat(live.end()).isEqualTo("reset");
            assertThat(undecided.end()).isIn("end", "reset");
            relayed(proxy.open(), "second").close();
        }
    }

    /**
     * The target would be connected to for as long as it likes: what is inside doesn't hear of the socket's end by
     * itself.
     */
    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    void relayInsideTlsOfARemovedEndpointIsCutToo(TlsProvider provider) throws Exception {
        BlockingQueue<RelayRecord> ended = new LinkedBlockingQueue<>();
        try (TestPort proxy = TestPort.start(
                        provider,
                        port -> port.tls(Sni.of("host.example"), inside -> inside.ssh(first.address())),
                        config -> config.listen(0, port -> port.https())
                                .forward(routes.uri())
                                .certificates(TestProxy.certificates())
                                .drainTime(Duration.ofMillis(300))
                                .observer(new ProxyObserver() {
                                    @Override
                                    public void relayEnded(RelayRecord relay) {
                                        ended.add(relay);
                                    }
                                }));
                RawConnection live = relayed(proxy.tlsFor("host.example"), "first")) {
            proxy.server().update(config -> config.removeEndpoint("port"));
            assertThat(live.end()).isEqualTo("reset");
            RelayRecord relay = ended.poll(30, TimeUnit.SECONDS);
            assertThat(relay).isNotNull();
            assertThat(relay.end()).isEqualTo(RelayEnd.CUT);
        }
    }

    @Test
    void closeDoesNotWaitForClientsThatHaveNotShownWhatTheySpeak() throws Exception {
        TestPort proxy = TestPort.start(
                TlsProvider.AUTO,
                port -> port.ssh(first.address())
                        .silent(second.address())
                        .otherwise(second.address())
                        .detectTime(Duration.ofSeconds(5)),
                config -> config.drainTime(Duration.ofSeconds(60)));
        try (RawConnection silent = proxy.open();
                RawConnection undecided = proxy.open().send("SS")) {
            await().until(() -> proxy.server().status().connections() == 2);
            CompletableFuture<Void> closed = CompletableFuture.runAsync(proxy::close);
            assertThat(silent.end()).isEqualTo("end");
            assertThat(undecided.end()).isEqualTo("end");
            closed.get(30, TimeUnit.SECONDS);
            assertThat(second.connections()).isZero();
        } finally {
            proxy.close();
        }
    }

    @Test
    void closeWaitsForRelaysAndCutsThemWhenTheDrainTimeIsOver() throws Exception {
        TestPort proxy = TestPort.start(
                TlsProvider.AUTO, port -> port.ssh(first.address()), config -> config.drainTime(Duration.ofSeconds(2)));
        try (RawConnection live = relayed(proxy.open(), "first")) {
            CompletableFuture<Void> closed = CompletableFuture.runAsync(proxy::close);
            await().until(() -> {
                try (RawConnection late = proxy.open()) {
                    return false;
                } catch (IOException e) {
                    return true;
                }
            });
            assertThat(live.send("x").read(1)).isEqualTo("x");
            assertThat(closed).isNotDone();
            assertThat(live.end()).isEqualTo("reset");
            closed.get(30, TimeUnit.SECONDS);
        } finally {
            proxy.close();
        }
    }
}
