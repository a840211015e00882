package io.webproxy.undertow.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.ProxyStartException;
import io.webproxy.port.PortBuilder;
import io.webproxy.port.Sni;
import io.webproxy.route.Route;
import io.webproxy.spi.IpLiteral;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OwnEndpointsTest {
    private static final Map<String, List<String>> NAMES = Map.of(
            "own.example", List.of("127.0.0.1"),
            "cluster.example", List.of("127.0.0.1", "192.0.2.1"),
            "other.example", List.of("192.0.2.1"));

    private final OwnEndpoints own = new OwnEndpoints(host ->
            NAMES.getOrDefault(host, List.of()).stream().map(IpLiteral::parse).toList());

    private void check(String upstream, String bound, int port) {
        own.check(
                List.of(Route.builder().path("/api").forward(upstream).build()),
                List.of(new InetSocketAddress(Objects.requireNonNull(IpLiteral.parse(bound)), port)));
    }

    @ParameterizedTest
    @CsvSource({
        "http://127.0.0.1:8080, 0.0.0.0",
        "http://127.0.0.1:8080, ::",
        "http://127.0.0.1:8080, 127.0.0.1",
        "https://127.0.0.1:8080, 127.0.0.1",
        "http://127.9.9.9:8080, 0.0.0.0",
        "http://[::1]:8080, ::",
        "http://[::1]:8080, ::1",
        "http://[::ffff:127.0.0.1]:8080, 127.0.0.1",
        "http://0.0.0.0:8080, 0.0.0.0",
        "http://0.0.0.0:8080, 127.0.0.1",
        "http://localhost:8080, 127.0.0.1",
        "http://LOCALHOST:8080, ::1",
        "http://app.localhost:8080, 0.0.0.0",
        "http://own.example:8080, 0.0.0.0",
        "http://own.example:8080, 127.0.0.1",
        "http://192.0.2.9:8080, 192.0.2.9"
    })
    void upstreamThatIsTheServerItselfIsRefused(String upstream, String bound) {
        assertThatThrownBy(() -> check(upstream, bound, 8080))
                .isInstanceOf(ProxyStartException.class)
                .hasMessage("route /api: its upstream " + upstream.toLowerCase(java.util.Locale.ROOT)
                        + " is an endpoint of this server (expected: the address of the service;"
                        + " on the same machine it needs another port than the server).");
    }

    @ParameterizedTest
    @CsvSource({
        "http://127.0.0.1:8081, 0.0.0.0",
        "http://127.0.0.2:8080, 127.0.0.1",
        "http://192.0.2.1:8080, 0.0.0.0",
        "http://localhost:8080, 192.0.2.9",
        "http://0.0.0.0:8080, 192.0.2.9",
        "http://other.example:8080, 0.0.0.0",
        "http://unknown.example:8080, 0.0.0.0",
        "http://cluster.example:8080, 0.0.0.0"
    })
    void upstreamElsewhereIsTaken(String upstream, String bound) {
        assertThatCode(() -> check(upstream, bound, 8080)).doesNotThrowAnyException();
    }

    @Test
    void everyAddressOfTheMachineIsTheServersWhenItIsBoundToAll() throws Exception {
        for (NetworkInterface card : NetworkInterface.networkInterfaces().toList()) {
            for (InetAddress address : card.inetAddresses().toList()) {
                String host = IpLiteral.text(address);
                String upstream = "http://" + (host.contains(":") ? "[" + host + "]" : host) + ":8080";
                if (!address.isLinkLocalAddress()) {
                    assertThatThrownBy(() -> check(upstream, "0.0.0.0", 8080)).isInstanceOf(ProxyStartException.class);
                }
            }
        }
    }

    @Test
    void namesAreLookedUpOnlyWhereThePortIsTheSame() {
        OwnEndpoints unused = new OwnEndpoints(host -> {
            throw new AssertionError("looked up " + host);
        });
        assertThatCode(() -> unused.check(
                        List.of(Route.builder()
                                .forward("http://service.example:81")
                                .build()),
                        List.of(new InetSocketAddress(80))))
                .doesNotThrowAnyException();
    }

    private void checkRelays(ProxyConfig.Builder builder) {
        ProxyConfig config = builder.build();
        own.check(config, OwnEndpoints.known(config));
    }

    @Test
    void relayThatLeadsBackIsRefusedWhereverItStands() {
        for (Consumer<PortBuilder> rules : List.<Consumer<PortBuilder>>of(
                port -> port.ssh("127.0.0.1:22", "127.0.0.1:2222"),
                port -> port.tls(Sni.any(), inside -> inside.ssh("own.example:2222")),
                port -> port.ssh("127.0.0.1:22").silent("localhost:2222"),
                port -> port.ssh("127.0.0.1:22").otherwise("[::1]:2222"))) {
            assertThatThrownBy(() -> checkRelays(ProxyServer.builder().listen(2222, rules)))
                    .isInstanceOf(ProxyStartException.class)
                    .hasMessageStartingWith("port 2222, rule ")
                    .hasMessageContaining(":2222 leads back to this server's port 2222 (expected: ");
        }
    }

    @Test
    void relayMayLeadToAnotherEndpointButNotBackThroughIt() {
        assertThatCode(() -> checkRelays(ProxyServer.builder()
                        .listen(2222, port -> port.ssh("127.0.0.1:2223").otherwise("192.0.2.1:2222"))
                        .listen(2223, port -> port.ssh("127.0.0.1:22"))))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> checkRelays(ProxyServer.builder()
                        .listen(2222, port -> port.ssh("127.0.0.1:2223"))
                        .listen(2223, port -> port.ssh("127.0.0.1:22").silent("127.0.0.1:2222"))))
                .isInstanceOf(ProxyStartException.class)
                .hasMessageStartingWith("port 2223, rule silent: its target 127.0.0.1:2222 leads back to");
        assertThatThrownBy(() -> checkRelays(ProxyServer.builder().listen(2222, port -> port.ssh("[::]:2222"))))
                .isInstanceOf(ProxyStartException.class)
                .hasMessageStartingWith("port 2222, rule ssh: its target [::]:2222 leads back to");
    }

    @Test
    void lookUpHasALimit() {
        CountDownLatch never = new CountDownLatch(1);
        BoundedLookup hanging = new BoundedLookup(Duration.ofMillis(1), host -> {
            awaited(never);
            return List.of(InetAddress.getLoopbackAddress());
        });
        assertThat(hanging.addresses("hangs.example")).isEmpty();
        assertThat(hanging.addresses("hangs.example"))
                .as("the limit is one for all")
                .isEmpty();
        never.countDown();
        assertThat(new BoundedLookup(Duration.ofSeconds(10)).addresses("localhost"))
                .isNotEmpty()
                .allMatch(InetAddress::isLoopbackAddress);
    }

    private static void awaited(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
