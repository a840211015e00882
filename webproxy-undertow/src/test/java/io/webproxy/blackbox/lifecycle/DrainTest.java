package io.webproxy.blackbox.lifecycle;

import static io.webproxy.undertow.testing.Http2Client.ACK;
import static io.webproxy.undertow.testing.Http2Client.GOAWAY;
import static io.webproxy.undertow.testing.Http2Client.PING;
import static io.webproxy.undertow.testing.Http2Client.RST_STREAM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.undertow.protocols.http2.Http2Channel;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What becomes of connections and requests when the server goes away with time to drain. */
@ExtendWith(LeakCheck.class)
class DrainTest {
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";
    private static final Duration LONG = Duration.ofSeconds(60);

    private static CompletableFuture<Void> drain(TestProxy proxy) {
        CompletableFuture<Void> drained = proxy.server().drain(LONG).toCompletableFuture();
        await().until(() -> {
            try (RawConnection refused = RawConnection.open(proxy.port())) {
                return refused.end() == null;
            } catch (ConnectException e) {
                return true;
            }
        });
        return drained;
    }

    @ParameterizedTest
    @EnumSource(names = {"H1", "H1_TLS"})
    void idleConnectionIsClosedSoon(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                RawConnection idle = proxy.raw();
                RawConnection silent = RawConnection.open(proxy.port())) {
            assertThat(idle.send("GET / HTTP/1.1¶Host: a¶¶").readResponse()).endsWith("ok");
            await().until(() -> proxy.server().status().connections() == 2);
            CompletableFuture<Void> drained = proxy.server().drain(LONG).toCompletableFuture();
            assertThat(idle.end()).isEqualTo("end");
            assertThat(silent.end()).isEqualTo("end");
            drained.get(30, TimeUnit.SECONDS);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1", "H1_TLS"})
    void requestThatRacesWithTheDrainIsAnswered(Front front) throws Exception {
        CountDownLatch rest = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                        if (head.startsWith("GET /slow ")) {
                            c.send("HTTP/1.1 200 OK¶Content-Length: 4¶¶ab");
                            rest.await(30, TimeUnit.SECONDS);
                            c.send("cd");
                        } else {
                            c.send(OK);
                        }
                    }
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                RawConnection client = proxy.raw();
                RawConnection late = proxy.raw()) {
            client.send("GET /slow HTTP/1.1¶Host: a¶¶");
            assertThat(client.readHead().toLowerCase(java.util.Locale.ROOT)).doesNotContain("connection: close");
            assertThat(client.read(2)).isEqualTo("ab");
            late.send("GET / HTTP/1.1¶Ho");
            CompletableFuture<Void> drained = drain(proxy);
            client.send("GET /next HTTP/1.1¶Host: a¶¶");
            late.send("st: a¶¶");
            assertThat(late.readResponse()).endsWith("ok").containsIgnoringCase("connection: close");
            assertThat(late.end()).isEqualTo("end");
            rest.countDown();
            assertThat(client.read(2)).isEqualTo("cd");
            assertThat(client.readResponse()).endsWith("ok").containsIgnoringCase("connection: close");
            assertThat(client.end()).isEqualTo("end");
            drained.get(30, TimeUnit.SECONDS);
        }
    }

    /** RFC 9113 section 6.8. */
    @ParameterizedTest
    @EnumSource(names = {"H2_TLS", "H2_TLS_JDK"})
    void streamsBetweenTheTwoGoAwaysAreServed(Front front) throws Exception {
        CountDownLatch answer = new CountDownLatch(1);
        CountDownLatch other = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    (c.readHead().startsWith("GET /other ") ? other : answer).await(30, TimeUnit.SECONDS);
                    c.send(OK);
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            client.request(1, "GET", "/", "localhost");
            await().until(() -> upstream.connections() == 1);
            CompletableFuture<Void> drained = proxy.server().drain(LONG).toCompletableFuture();
            Http2Client.Frame announced = client.next(GOAWAY);
            assertThat(announced.lastStream()).isEqualTo(Integer.MAX_VALUE);
            assertThat(announced.code()).isZero();
            client.request(3, "GET", "/other", "localhost");
            client.send(PING, ACK, 0, client.next(PING).payload());
            Http2Client.Frame refusing = client.next(GOAWAY);
            assertThat(refusing.lastStream()).isEqualTo(3);
            assertThat(refusing.code()).isZero();
            client.request(5, "GET", "/", "localhost");
            Http2Client.Frame refused = client.next(RST_STREAM);
            assertThat(refused.stream()).isEqualTo(5);
            assertThat(refused.code()).isEqualTo(Http2Channel.ERROR_REFUSED_STREAM);
            assertThat(drained).isNotDone();
            answer.countDown();
            assertThat(client.answer(1)).isEqualTo("200");
            other.countDown();
            assertThat(client.answer(3)).isEqualTo("200");
            assertThat(client.end()).isZero();
            client.close();
            drained.get(30, TimeUnit.SECONDS);
            assertThat(upstream.connections()).isEqualTo(2);
        }
    }

    @Test
    void idleHttp2ConnectionEndsInTwoSteps() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri());
                Http2Client client = Http2Client.open(proxy);
                Http2Client silent = Http2Client.silent(proxy)) {
            client.request(1, "GET", "/", "localhost");
            assertThat(client.answer(1)).isEqualTo("200");
            proxy.record();
            CompletableFuture<Void> drained = proxy.server().drain(LONG).toCompletableFuture();
            assertThat(client.next(GOAWAY).lastStream()).isEqualTo(Integer.MAX_VALUE);
            client.send(PING, ACK, 0, client.next(PING).payload());
            Http2Client.Frame last = client.next(GOAWAY);
            assertThat(last.lastStream()).isEqualTo(1);
            assertThat(last.code()).isZero();
            client.close();
            assertThat(silent.end())
                    .as("closed without GOAWAY: settings come first")
                    .isEqualTo(-1);
            drained.get(30, TimeUnit.SECONDS);
        }
    }

    /** A client that stays silent and open for ever holds nobody up. */
    @Test
    void clientThatDoesNotCloseIsNotWaitedFor() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(Front.H1_TLS, upstream.uri());
                RawConnection halfHello = RawConnection.open(proxy.port());
                RawConnection halfHead = proxy.raw()) {
            halfHello.send("\u0016\u0003\u0001");
            halfHead.send("GET / HTTP/1.1¶");
            await().until(() -> proxy.server().status().connections() == 2);
            proxy.server().drain(LONG).toCompletableFuture().get(30, TimeUnit.SECONDS);
            assertThat(closed(halfHello)).isTrue();
            assertThat(closed(halfHead)).isTrue();
        }
    }

    private static boolean closed(RawConnection connection) throws IOException {
        return !connection.end().startsWith("byte");
    }
}
