package io.webproxy.blackbox.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.ProxyStartException;
import io.webproxy.http.Answer;
import io.webproxy.http.ProxyProtocol;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.port.Endpoint;
import io.webproxy.route.Route;
import io.webproxy.spi.ProxyEngine;
import io.webproxy.spi.ServedRoutes;
import io.webproxy.spi.ServerObserver;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.tls.CertificateStatus;
import io.webproxy.tls.Certificates;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import okhttp3.Response;
import okio.BufferedSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Configurations that were made from nothing, and take the place of the whole one in force. */
@ExtendWith(LeakCheck.class)
class DeclarativeUpdateTest {
    private static final String GET = "GET / HTTP/1.1¶Host: localhost¶¶";
    private static final Answer HERE = Answer.text(200, "here");

    /** What {@link TestProxy} starts with and only a start sets, made anew. */
    private static ProxyConfig.Builder fresh(Front front) {
        return ProxyServer.builder()
                .bind("127.0.0.1")
                .tuning(t -> t.withIoThreads(2))
                .drainTime(Duration.ZERO)
                .jdkTls(front.provider() == TlsProvider.JDK);
    }

    private static ProxyConfig.Builder withEndpoint(Front front) {
        ProxyConfig.Builder builder = fresh(front);
        return front.isTls() ? builder.https(0).certificates(TestProxy.certificates()) : builder.http(0);
    }

    private static List<Integer> ports(TestProxy proxy) {
        return proxy.server().endpoints().stream()
                .map(endpoint -> endpoint.address().getPort())
                .toList();
    }

    private static int status(TestProxy proxy, String path) throws IOException {
        try (Response response = proxy.get(path)) {
            return response.code();
        }
    }

    /** A connection that has had a response. */
    private static RawConnection answered(int port) throws IOException {
        RawConnection connection = RawConnection.open(port);
        assertThat(connection.send(GET).readResponse()).startsWith("HTTP/1.1 ");
        return connection;
    }

    private static void stream(RawConnection connection, CountDownLatch updated) throws Exception {
        connection.readHead();
        connection.send("HTTP/1.1 200 OK¶Content-Type: text/event-stream¶¶data: 1\n\n");
        updated.await(30, TimeUnit.SECONDS);
        connection.send("data: 2\n\n");
    }

    @Test
    void observersOfTheStatusAreToldTheNamesOfRoutes() {
        List<Set<String>> told = new CopyOnWriteArrayList<>();
        ServerObserver names = new ServerObserver() {
            @Override
            public void serves(ProxyEngine.Running server) {}

            @Override
            public void servesRoutes(ServedRoutes routes) {
                told.add(routes.all().stream().map(Route::name).collect(Collectors.toSet()));
            }
        };
        try (ProxyServer server = ProxyServer.builder()
                .bind("127.0.0.1")
                .http(0)
                .drainTime(Duration.ZERO)
                .observer(ProxyObserver.async(names, 1))
                .route(r -> r.name("old").answer(HERE))
                .start()) {
            server.update(b -> b.removeRoute("old").route(r -> r.path("/new").answer(HERE)));
            assertThat(told)
                    .containsExactly(
                            Set.of("old"),
                            Set.of(server.config().routes().get(0).name()));
        }
    }

    @OverEachFront
    void whatBothHaveGoesOnAndTheRestIsGone(Front front) throws Exception {
        CountDownLatch updated = new CountDownLatch(1);
        try (RawUpstream live = RawUpstream.start(connection -> stream(connection, updated));
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.http(0, endpoint -> endpoint.name("extra"))
                                .route(r -> r.name("live").path("/live").forward(live.uri()))
                                .route(r -> r.path("/old").answer(HERE)));
                RawConnection extra = answered(ports(proxy).get(1));
                Response response = proxy.get("/live")) {
            BufferedSource events = response.body().source();
            assertThat(events.readUtf8Line()).isEqualTo("data: 1");
            assertThat(status(proxy, "/old")).isEqualTo(200);
            List<Integer> before = ports(proxy);

            ProxyConfig next = withEndpoint(front)
                    .route(r -> r.path("/new").answer(HERE))
                    .route(r -> r.name("live").path("/live").forward(live.uri()))
                    .build();
            assertThat(proxy.server().update(next)).isSameAs(next);
            updated.countDown();

            assertThat(proxy.server().config()).isSameAs(next);
            assertThat(ports(proxy)).containsExactly(before.get(0));
            assertThat(extra.end())
                    .as("a connection of an endpoint that is gone")
                    .isIn("end", "reset");
            assertThat(status(proxy, "/old")).isEqualTo(404);
            assertThat(status(proxy, "/new")).isEqualTo(200);
            assertThat(events.readUtf8Line()).isEmpty();
            assertThat(events.readUtf8Line())
                    .as("an event after the update, of a route that stays")
                    .isEqualTo("data: 2");
        }
    }

    @Test
    void endpointsOfAnyPortAreToldApartByNameElseByOrder() throws Exception {
        try (TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.http(0)
                                .http(0, endpoint -> endpoint.name("a"))
                                .http(0, endpoint -> endpoint.name("b"))
                                .route(r -> r.answer(HERE)));
                RawConnection kept = answered(ports(proxy).get(0));
                RawConnection second = answered(ports(proxy).get(1));
                RawConnection named = answered(ports(proxy).get(2))) {
            List<Integer> before = ports(proxy);

            proxy.server()
                    .update(fresh(Front.H1)
                            .http(0, endpoint -> endpoint.name("b"))
                            .http(0)
                            .http(0, endpoint -> endpoint.name("c"))
                            .route(r -> r.answer(HERE))
                            .build());

            List<Integer> after = ports(proxy);
            assertThat(after).hasSize(3).startsWith(before.get(3), before.get(0));
            assertThat(before).doesNotContain(after.get(2));
            assertThat(second.end()).isIn("end", "reset");
            assertThat(named.end()).isIn("end", "reset");
            assertThat(kept.send(GET).readResponse()).endsWith("here");
        }
    }

    @Test
    void endpointOfAnyPortKeepsItWithOtherSettings() throws Exception {
        try (RawUpstream ssh = RawUpstream.echoing("ssh");
                TestProxy proxy = TestProxy.start(
                        Front.H1, b -> b.listen(0, port -> port.http()).route(r -> r.answer(HERE)));
                RawConnection kept = proxy.raw()) {
            List<Integer> before = ports(proxy);
            assertThat(kept.send(GET).readResponse()).endsWith("here");

            proxy.server()
                    .update(fresh(Front.H1)
                            .http(0, endpoint -> endpoint.proxyProtocol(ProxyProtocol.OPTIONAL))
                            .trustedProxies("127.0.0.1")
                            .listen(0, port -> port.ssh(ssh.address()))
                            .route(r -> r.answer(HERE))
                            .build());

            assertThat(ports(proxy)).isEqualTo(before);
            assertThat(kept.send(GET).readResponse()).endsWith("here");
            try (RawConnection told = proxy.raw();
                    RawConnection other = RawConnection.open(before.get(1))) {
                told.send("PROXY TCP4 192.0.2.1 127.0.0.1 5 6¶" + GET);
                assertThat(told.readResponse()).endsWith("here");
                assertThat(other.send("SSH-2.0-x¶").readLine()).isEqualTo("ssh\r\n");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1_TLS", "H1_TLS_JDK"})
    void selfSignedCertificateForTheSameNamesStays(Front front) {
        try (TestProxy proxy = TestProxy.start(
                front, b -> b.certificates(Certificates.selfSigned("localhost")).route(r -> r.answer(HERE)))) {
            List<CertificateStatus> before = proxy.server().status().certificates();

            proxy.server()
                    .update(fresh(front)
                            .https(0)
                            .certificates(Certificates.selfSigned("localhost"))
                            .route(r -> r.answer(HERE))
                            .build());

            assertThat(before).hasSize(1);
            assertThat(proxy.server().status().certificates()).isEqualTo(before);
        }
    }

    static Stream<Arguments> setByAStart() {
        return Stream.of(
                fixed("bind", ProxyConfig.Builder::bindToAll),
                fixed("ioThreads", b -> b.tuning(t -> t.withIoThreads(3))),
                fixed("bufferSize", b -> b.tuning(t -> t.withBufferSize(8192))),
                fixed("backlog", b -> b.tuning(t -> t.withBacklog(7))),
                fixed("jdkTls", b -> b.jdkTls(true)));
    }

    private static Arguments fixed(String what, Consumer<ProxyConfig.Builder> change) {
        return arguments(what, change);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("setByAStart")
    void whatOnlyAStartSetsIsRefused(String what, Consumer<ProxyConfig.Builder> change) throws Exception {
        assertChangesNothing(change, what, "start another server.");
    }

    @Test
    void oneEndpointThatCannotBeBoundChangesNothing() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertChangesNothing(
                    b -> b.http(taken.getLocalPort()), "Port " + taken.getLocalPort() + " is already in use");
        }
    }

    /** The old one accepts until the new one is in force, so both can't have the port. */
    @Test
    void portOfAnEndpointThatIsReplacedTakesTwoUpdates() throws Exception {
        try (TestProxy proxy = TestProxy.start(Front.H1, b -> b.http(0).http(0).route(r -> r.answer(HERE)))) {
            int port = ports(proxy).get(2);
            ProxyConfig swapped = fresh(Front.H1)
                    .http(0)
                    .http(0)
                    .https(port)
                    .certificates(TestProxy.certificates())
                    .route(r -> r.answer(HERE))
                    .build();

            assertThatThrownBy(() -> proxy.server().update(swapped))
                    .isInstanceOf(ProxyStartException.class)
                    .hasMessage("Port " + port + " is that of the endpoint http-" + port
                            + " until an update has removed it: remove it by one update, and open the other one by"
                            + " the next.");
        }
    }

    private static void assertChangesNothing(Consumer<ProxyConfig.Builder> change, String... sentence)
            throws Exception {
        try (TestProxy proxy = TestProxy.start(Front.H1, b -> b.route(r -> r.answer(HERE)));
                RawConnection kept = proxy.raw()) {
            assertThat(kept.send(GET).readResponse()).endsWith("here");
            ProxyConfig before = proxy.server().config();
            List<Endpoint> endpoints = proxy.server().endpoints();
            ProxyConfig.Builder builder = withEndpoint(Front.H1).route(r -> r.answer(Answer.of(204)));
            change.accept(builder);
            ProxyConfig next = builder.build();

            assertThatThrownBy(() -> proxy.server().update(next))
                    .isInstanceOf(ProxyStartException.class)
                    .message()
                    .contains(sentence);
            assertThat(proxy.server().config()).isSameAs(before);
            assertThat(proxy.server().endpoints()).isEqualTo(endpoints);
            assertThat(kept.send(GET).readResponse()).endsWith("here");
        }
    }

    @Test
    void configurationInForceIsPutInForceAgain() {
        try (TestProxy proxy = TestProxy.start(Front.H1, b -> b.route(r -> r.answer(HERE)))) {
            List<Endpoint> endpoints = proxy.server().endpoints();

            proxy.server().update(proxy.server().config());
            proxy.server().update(proxy.server().config().toBuilder().build());

            assertThat(proxy.server().endpoints()).isEqualTo(endpoints);
        }
    }
}
