package io.webproxy.blackbox.streaming;

import static io.webproxy.timeout.TimeoutClass.WEBSOCKET;
import static io.webproxy.undertow.testing.ScaledTimeouts.SCALED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.http.Answer;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.FilterDecision;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverHttp1;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Upgrades other than WebSocket: what a route allows by name, and nothing else. */
@ExtendWith(LeakCheck.class)
class UpgradeTest {
    private static final String ASK =
            "POST /attach HTTP/1.1¶Host: localhost¶Connection: Upgrade¶Upgrade: tcp¶Content-Length: ";
    private static final String SWITCH = "HTTP/1.1 101 UPGRADED¶Content-Type: application/vnd.docker.raw-stream¶"
            + "Connection: Upgrade¶Upgrade: tcp¶¶";

    private static TestProxy start(Front front, String upstream) {
        return TestProxy.start(front, b -> b.route(r -> r.forward(upstream).allowUpgrade("tcp", "SPDY/3.1")));
    }

    /** As Docker's client does it; the bytes that come too early wait for the 101. */
    @OverHttp1
    void bodyIsForwardedWholeAndLaterBytesOnlyAfterThe101(Front front) throws Exception {
        BlockingQueue<Socket> asked = new LinkedBlockingQueue<>();
        CountDownLatch agreed = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    String head = c.readHead();
                    if (head.startsWith("GET")) {
                        c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                        return;
                    }
                    assertThat(head)
                            .contains("Connection: Upgrade\r\n", "Upgrade: tcp\r\n", "Content-Length: 5\r\n")
                            .doesNotContain("keep-alive");
                    assertThat(c.read(5)).isEqualTo("{\"a\"}");
                    c.send("HTTP/1.1 103 Early Hints¶¶");
                    asked.add(c.socket());
                    agreed.await(30, TimeUnit.SECONDS);
                    c.send(SWITCH + "early");
                    c.send(c.read(4));
                    c.send(c.read(4));
                    c.send(c.readAll() + "!");
                });
                TestProxy proxy = start(front, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send(ASK + "5¶¶{\"a\"}ping");
            assertThat(client.readHead()).startsWith("HTTP/1.1 103 ");
            Socket socket = asked.poll(30, TimeUnit.SECONDS);
            assertThat(socket).isNotNull();
            assertThat(socket.getInputStream().available()).isZero();
            agreed.countDown();
            assertThat(client.readHead())
                    .startsWith("HTTP/1.1 101 ")
                    .containsIgnoringCase("upgrade: tcp\r\n")
                    .containsIgnoringCase("connection: upgrade\r\n")
                    .contains("Content-Type: application/vnd.docker.raw-stream\r\n")
                    .doesNotContainIgnoringCase("content-length")
                    .doesNotContainIgnoringCase("transfer-encoding");
            assertThat(client.read(9)).isEqualTo("earlyping");
            client.send("more");
            assertThat(client.read(4)).isEqualTo("more");
            if (front == Front.H1) {
                client.shutdownOutput();
                assertThat(client.readAll()).as("after a half-close").isEqualTo("!");
            } else {
                client.reset();
            }
            ExchangeRecord record = proxy.record();
            assertThat(record.status()).isEqualTo(101);
            assertThat(record.endClass()).isEqualTo(WEBSOCKET);
            assertThat(record.startClass()).isEqualTo(TimeoutClass.DEFAULT);
            assertThat(record.bytesIn()).isEqualTo(5 + 4 + 4);
            if (front == Front.H1) {
                assertThat(record.error()).isEmpty();
                assertThat(record.bytesOut()).isEqualTo(5 + 4 + 4 + 1);
            }
            await().until(() -> proxy.server().status().tunnels() == 0);
            try (RawConnection next = proxy.raw()) {
                next.send("GET / HTTP/1.1¶Host: localhost¶¶");
                assertThat(next.readResponse()).endsWith("ok");
            }
            assertThat(upstream.connections()).as("a tunnel's is never pooled").isEqualTo(2);
            assertThat(upstream.failures()).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "http, spdy/3.1, SPDY/3.1",
        "http, SPDY/3.1, spdy/3.1",
        "http, TCP, tcp",
        // the switch is one of HTTP/1.1, also to an upstream that speaks HTTP/2 otherwise
        "h2c, tcp, tcp"
    })
    void namesAreComparedWithTheirVersionsInAnyCase(String scheme, String asked, String answered) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    assertThat(c.readHead()).startsWith("POST ").contains("Upgrade: " + asked + "\r\n");
                    assertThat(c.readLine()).isEqualTo("3\r\n");
                    assertThat(c.readLine()).isEqualTo("abc\r\n");
                    assertThat(c.readLine()).isEqualTo("0\r\n");
                    assertThat(c.readLine()).isEqualTo("\r\n");
                    c.send("HTTP/1.1 101 Switching Protocols¶Connection: Upgrade¶Upgrade: " + answered + "¶¶");
                    c.send(c.readAll());
                });
                TestProxy proxy = start(Front.H1, scheme + "://" + upstream.address());
                RawConnection client = proxy.raw()) {
            client.send("POST / HTTP/1.1¶Host: localhost¶Connection: keep-alive, upgrade¶Upgrade: " + asked
                    + "¶Transfer-Encoding: chunked¶¶3¶abc¶0¶¶echo");
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            client.shutdownOutput();
            assertThat(client.readAll()).isEqualTo("echo");
            assertThat(upstream.failures()).isEmpty();
            assertThat(proxy.record().status()).isEqualTo(101);
        }
    }

    /** Such requests are forwarded plain, and what comes after them is a request of its own. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /other HTTP/1.1¶Connection: Upgrade¶Upgrade: tcp¶",
                "GET / HTTP/1.1¶Connection: Upgrade¶Upgrade: foo¶",
                "GET / HTTP/1.1¶Connection: Upgrade¶Upgrade: tcp, foo¶",
                "GET / HTTP/1.1¶Connection: Upgrade¶Upgrade: tcp,¶",
                "GET / HTTP/1.1¶Connection: Upgrade¶Upgrade: tcp¶Upgrade: foo¶",
                "GET / HTTP/1.1¶Connection: Upgrade¶Upgrade: tcp¶Upgrade: tcp¶",
                "GET / HTTP/1.1¶Connection: Upgrade¶Upgrade: tcp/1¶",
                "GET / HTTP/1.1¶Connection: Upgrade¶Upgrade: SPDY¶",
                "GET / HTTP/1.1¶Connection: Upgrade¶Upgrade: SPDY/3.1;q=1¶",
                "GET / HTTP/1.1¶Connection: Upgrade, HTTP2-Settings¶Upgrade: h2c¶HTTP2-Settings: AAMAAABkAAQAAP__¶",
                "GET / HTTP/1.1¶Connection: keep-alive¶Upgrade: tcp¶",
                "GET / HTTP/1.1¶Upgrade: tcp¶",
                "OPTIONS / HTTP/1.1¶Connection: Upgrade¶Upgrade: tcp¶",
                "GET / HTTP/1.1¶Connection: Upgrade¶Upgrade: ¶"
            })
    void upgradeThatIsNotAllowedByNameIsDropped(String request) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                        assertThat(head).doesNotContainIgnoringCase("upgrade");
                        c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                    }
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.forward(upstream.uri()).allowUpgrade("tcp", "SPDY/3.1"))
                                .route(r -> r.path("/other").forward(upstream.uri())));
                RawConnection client = proxy.raw()) {
            client.send(request + "Host: localhost¶¶GET /next HTTP/1.1¶Host: localhost¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ").endsWith("ok");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ").endsWith("ok");
            proxy.record();
            assertThat(proxy.record().path()).isEqualTo("/next");
            assertThat(upstream.failures()).isEmpty();
        }
    }

    @Test
    void upgradeOverHttp10IsDropped() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    assertThat(c.readHead()).doesNotContainIgnoringCase("upgrade");
                    c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                });
                TestProxy proxy = start(Front.H1, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.0¶Host: localhost¶Connection: Upgrade¶Upgrade: tcp¶¶");
            assertThat(client.readAll()).endsWith("ok");
            assertThat(upstream.failures()).isEmpty();
        }
    }

    /** A client that believed such a 101 would take the upstream's bytes for what it didn't ask for. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Connection: Upgrade¶Upgrade: foo¶",
                "Connection: Upgrade¶Upgrade: websocket¶",
                "Connection: Upgrade¶Upgrade: tcp/1¶",
                "Connection: Upgrade¶Upgrade: tcp, foo¶",
                "Connection: Upgrade¶Upgrade: tcp¶Upgrade: foo¶",
                "Connection: Upgrade¶Upgrade: tcp¶Upgrade: tcp¶",
                "Connection: Upgrade¶",
                "Upgrade: tcp¶",
                "Connection: close¶Upgrade: tcp¶",
                "Connection: Upgrade¶Upgrade: tcp¶Content-Length: 0¶",
                "Connection: Upgrade¶Upgrade: tcp¶Content-Length: 5¶",
                "Connection: Upgrade¶Upgrade: tcp¶Transfer-Encoding: chunked¶"
            })
    void switchThatWasNotAskedForIs502(String fields) throws Exception {
        BlockingQueue<String> ends = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.read(2);
                    c.send("HTTP/1.1 101 Switching Protocols¶" + fields + "¶HTTP/1.1 200 OK¶Content-Length: 2¶¶no");
                    ends.add(c.end());
                });
                TestProxy proxy = start(Front.H1, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send(ASK + "2¶¶{}GET /next HTTP/1.1¶Host: localhost¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 502 ").doesNotContain("HTTP/1.1 200");
            assertThat(ends.poll(30, TimeUnit.SECONDS)).isIn("end", "reset");
            assertThat(client.readAll())
                    .as("what was meant for the tunnel is no request")
                    .isEmpty();
            assertThat(proxy.record().error()).contains(ForwardError.INVALID_RESPONSE);
            assertThat(proxy.ended()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tcp\rX: y", "tcp\nX: y", "tcp\0", "tcp\r\n X: y", "tcp\r\n: y"})
    void switchThatSplitsTheResponseIs502(String name) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 101 Switching Protocols¶Connection: Upgrade¶Upgrade: " + name + "¶¶no");
                    c.end();
                });
                TestProxy proxy = start(Front.H1, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send(ASK + "0¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 502 ");
            assertThat(proxy.record().error()).contains(ForwardError.INVALID_RESPONSE);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET / HTTP/1.1¶Host: localhost¶¶",
                "GET /other HTTP/1.1¶Host: localhost¶Connection: Upgrade¶Upgrade: tcp¶¶",
                "GET / HTTP/1.1¶Host: localhost¶Connection: Upgrade¶Upgrade: tcp, foo¶¶"
            })
    void switchWithoutAnUpgradeThatIsAllowedIs502(String request) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(SWITCH);
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.forward(upstream.uri()).allowUpgrade("tcp"))
                                .route(r -> r.path("/other").forward(upstream.uri())));
                RawConnection client = proxy.raw()) {
            client.send(request);
            assertThat(client.readResponse()).startsWith("HTTP/1.1 502 ");
            assertThat(proxy.record().error()).contains(ForwardError.INVALID_RESPONSE);
        }
    }

    /** The rest of a body would become the first bytes of a tunnel. */
    @ParameterizedTest
    @ValueSource(strings = {"5¶¶ab", "0¶Transfer-Encoding: chunked¶¶2¶ab¶"})
    void switchBeforeTheWholeRequestIsNone(String body) throws Exception {
        boolean chunked = body.contains("chunked");
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.read(2);
                    c.send(SWITCH);
                    assertThat(c.readAll()).isEmpty();
                });
                TestProxy proxy = start(Front.H1, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send(chunked ? ASK.replace("Content-Length: ", "") + body.substring(2) : ASK + body);
            assertThat(client.readHead()).startsWith("HTTP/1.1 502 ");
            assertThat(proxy.record().error()).contains(ForwardError.INVALID_RESPONSE);
        }
    }

    @Test
    void otherAnswerIsAnOrdinaryOneAndBytesAfterTheBodyAreARequestOfTheirOwn() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                        String body = head.contains("Content-Length: 2\r\n") ? c.read(2) : "";
                        c.send("HTTP/1.1 404 Not Found¶Content-Length: 2¶¶" + (body.isEmpty() ? "no" : body));
                    }
                });
                TestProxy proxy = start(Front.H1, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send(ASK + "2¶¶{}GET /secret HTTP/1.1¶Host: localhost¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 404 ").endsWith("{}");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 404 ").endsWith("no");
            assertThat(proxy.record().path()).isEqualTo("/attach");
            assertThat(proxy.record().path()).isEqualTo("/secret");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void noUpstreamIsAskedBeforeAuthenticationAndFilter(boolean authenticated) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(SWITCH);
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> {
                            r.forward(upstream.uri()).allowUpgrade("tcp");
                            if (authenticated) {
                                r.filter(request -> FilterDecision.answer(Answer.of(403)));
                            } else {
                                r.basicAuth("user", "secret");
                            }
                        }));
                RawConnection client = proxy.raw()) {
            client.send(ASK + "2¶¶{}");
            assertThat(client.readHead()).startsWith("HTTP/1.1 " + (authenticated ? 403 : 401));
            assertThat(upstream.connections()).isZero();
        }
    }

    @Test
    void preflightThatSkipsAuthenticationOpensNoTunnel() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    String head = c.readHead();
                    c.send(head.contains("Upgrade: tcp") ? SWITCH : "HTTP/1.1 204 No Content¶¶");
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.forward(upstream.uri())
                                .allowUpgrade("tcp")
                                .basicAuth("user", "secret")
                                .allowPreflight()));
                RawConnection client = proxy.raw()) {
            client.send("OPTIONS / HTTP/1.1¶Host: localhost¶Origin: https://a.example¶"
                    + "Access-Control-Request-Method: GET¶Connection: Upgrade¶Upgrade: tcp¶¶");
            assertThat(client.readHead()).startsWith("HTTP/1.1 204 ");
            assertThat(proxy.record().status()).isEqualTo(204);
        }
    }

    /** Neither pings nor close frames of a WebSocket; only its limit of silence. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void nothingOfAWebSocketIsInTheTunnelButItsLimit(boolean pings) throws Exception {
        TestClock clock = new TestClock();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(SWITCH);
                    c.send(c.read(1));
                    c.end();
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        clock,
                        b -> b.timeouts(SCALED)
                                .route(r -> r.forward(upstream.uri())
                                        .allowUpgrade("tcp")
                                        .webSocketPings(pings ? Duration.ofMillis(100) : Duration.ZERO)));
                RawConnection client = proxy.raw()) {
            client.send(ASK + "0¶¶");
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            clock.passAndLook(SCALED.idle(WEBSOCKET).minusNanos(1));
            client.send("x");
            assertThat(client.read(1)).isEqualTo("x");
            clock.passAndLook(SCALED.idle(WEBSOCKET).minusNanos(1));
            clock.pass(Duration.ofNanos(1));
            assertThat(client.end()).isIn("end", "reset");
            assertThat(proxy.record().error()).contains(ForwardError.RESPONSE_BODY_IDLE);
        }
    }

    @Test
    void closeOfTheServerPutsNoFrameIntoTheTunnel() throws Exception {
        BlockingQueue<String> ends = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(c -> {
            c.readHead();
            c.send(SWITCH);
            ends.add(c.end());
        })) {
            TestProxy proxy = start(Front.H1, upstream.uri());
            try (RawConnection client = proxy.raw()) {
                client.send(ASK + "0¶¶");
                assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
                proxy.close();
                assertThat(client.end()).isIn("end", "reset");
                assertThat(ends.poll(30, TimeUnit.SECONDS)).isIn("end", "reset");
            }
        }
    }
}
