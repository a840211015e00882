package io.webproxy.undertow.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** For which connections a drain waits, if it would wait an hour for those that have something to do yet. */
@ExtendWith(LeakCheck.class)
class DrainWaitTest {
    private static final Duration HOUR = Duration.ofHours(1);
    private static final String LAST = "GET / HTTP/1.1¶Host: a¶Connection: close¶¶";
    private static final String UPLOAD = "POST / HTTP/1.1¶Host: a¶Content-Length: 100000¶¶abc";

    private static RunningProxy start(boolean tls, String upstream, boolean locked) {
        ProxyConfig.Builder config = ProxyServer.builder()
                .bind("127.0.0.1")
                .tuning(t -> t.withIoThreads(2))
                .forward(upstream);
        if (tls) {
            config.https(0).certificates(TestProxy.certificates());
        } else {
            config.http(0);
        }
        if (locked) {
            config.basicAuth("user", "secret");
        }
        return RunningProxy.start(config.build(), HOUR);
    }

    private static RawConnection open(RunningProxy proxy, boolean tls) throws IOException {
        int port = proxy.status().endpoints().get(0).address().getPort();
        return tls
                ? RawConnection.openTls(port, TestProxy.trust().sslSocketFactory(), "http/1.1")
                : RawConnection.open(port);
    }

    /** Before a silent client is given up after 5 s, which would end the drain too. */
    private static void assertEnds(CompletableFuture<Void> drained) throws Exception {
        drained.get(4, TimeUnit.SECONDS);
    }

    private static CompletableFuture<Void> drain(RunningProxy proxy) {
        return proxy.drain(HOUR).toCompletableFuture();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void clientThatWasAnsweredAndNeitherSendsNorClosesIsNotWaitedFor(boolean tls) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok")) {
            RunningProxy proxy = start(tls, upstream.uri(), false);
            try (RawConnection client = open(proxy, tls)) {
                assertThat(client.send(LAST).readResponse()).endsWith("ok");
                assertEnds(drain(proxy));
                assertThat(client.end()).isEqualTo("end");
            } finally {
                proxy.drain(Duration.ZERO).toCompletableFuture().join();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void clientThatIsAnsweredDuringTheDrainIsNotWaitedForAfterIt(boolean tls) throws Exception {
        CountDownLatch answer = new CountDownLatch(1);
        CountDownLatch asked = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
            c.readHead();
            asked.countDown();
            answer.await(30, TimeUnit.SECONDS);
            c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
        })) {
            RunningProxy proxy = start(tls, upstream.uri(), false);
            try (RawConnection client = open(proxy, tls)) {
                client.send("GET / HTTP/1.1¶Host: a¶¶");
                assertThat(asked.await(10, TimeUnit.SECONDS)).isTrue();
                CompletableFuture<Void> drained = drain(proxy);
                answer.countDown();
                assertThat(client.readResponse()).endsWith("ok");
                assertEnds(drained);
                assertThat(client.end()).isEqualTo("end");
            } finally {
                proxy.drain(Duration.ZERO).toCompletableFuture().join();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void clientThatWasAnsweredInTheMiddleOfItsBodyIsNotWaitedFor(boolean tls) throws Exception {
        RunningProxy proxy = start(tls, "http://127.0.0.1:1", true);
        try (RawConnection client = open(proxy, tls)) {
            assertThat(client.send(UPLOAD).readResponse()).startsWith("HTTP/1.1 401 ");
            assertEnds(drain(proxy));
        } finally {
            proxy.drain(Duration.ZERO).toCompletableFuture().join();
        }
    }
}
