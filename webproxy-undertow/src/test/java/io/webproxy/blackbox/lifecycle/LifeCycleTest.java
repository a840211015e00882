package io.webproxy.blackbox.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyServer;
import io.webproxy.ProxyStartException;
import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import io.webproxy.http.Answer;
import io.webproxy.http.HttpLimits;
import io.webproxy.http.RequestHead;
import io.webproxy.spi.StatusData;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.tls.Certificates;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Security;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import okhttp3.Credentials;
import okhttp3.Headers;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Start, update, drain and close of servers, alone and side by side. */
@ExtendWith(LeakCheck.class)
class LifeCycleTest {
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";

    @Test
    void takenPortIsOneSentenceAndNothingStaysOpen() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThatThrownBy(() -> ProxyServer.builder()
                            .bind("127.0.0.1")
                            .http(0)
                            .http(taken.getLocalPort())
                            .forward("http://127.0.0.1:1")
                            .start())
                    .isInstanceOf(ProxyStartException.class)
                    .hasMessage("Port " + taken.getLocalPort()
                            + " is already in use: stop the program that uses it, or choose another port.");
            // that the first endpoint is closed again is LeakCheck's to see
        }
    }

    @Test
    void unknownBindAddressAndMissingFilesAreOneSentence(@TempDir Path directory) throws Exception {
        assertThatThrownBy(() -> ProxyServer.builder()
                        .bind("192.0.2.250")
                        .http(0)
                        .forward("http://127.0.0.1:1")
                        .start())
                .isInstanceOf(ProxyStartException.class)
                .hasMessageContaining("bind: ")
                .hasMessageContaining("(expected: an address of this machine");
        Path missing = directory.resolve("missing.pem");
        assertThatThrownBy(() -> ProxyServer.builder()
                        .https(0)
                        .certificates(Certificates.pem(missing, missing))
                        .forward("http://127.0.0.1:1")
                        .start())
                .isInstanceOf(ProxyStartException.class)
                .hasMessageContaining(missing.toString())
                .hasMessageNotContaining("\n");
        assertThat(Files.exists(missing)).isFalse();
    }

    @Test
    @ExpectedLog(logger = "io.webproxy", contains = "self-signed")
    void httpsWithoutCertificatesServesASelfSignedOneAndSaysSo() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                ProxyServer proxy = ProxyServer.builder()
                        .bind("127.0.0.1")
                        .https(0)
                        .forward(upstream.uri())
                        .drainTime(Duration.ZERO)
                        .start()) {
            assertThat(proxy.uri().toString()).matches("https://localhost:\\d+/");
            assertThat(proxy.status().tlsProvider()).isEqualTo("Conscrypt");
        }
    }

    @Test
    void closedServerIsNotRunningAndItsStatusIsEmpty() throws Exception {
        ProxyServer proxy = ProxyServer.builder()
                .bind("127.0.0.1")
                .https(0)
                .certificates(Certificates.selfSigned("localhost"))
                .forward("http://127.0.0.1:1")
                .start();
        URI uri = proxy.uri();
        try (proxy) {
            assertThat(proxy.isRunning()).isTrue();
            assertThat(proxy.status().endpoints()).hasSize(1);
            assertThat(proxy.status().certificates()).hasSize(1);
        }
        assertThat(proxy.isRunning()).isFalse();
        assertThat(proxy.status()).isEqualTo(StatusData.CLOSED);
        assertThat(proxy.endpoints()).isEmpty();
        assertThat(proxy.uri()).as("what was open").isEqualTo(uri);
    }

    @Test
    void jdkServesWhereItIsAskedFor() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(Front.H2_TLS_JDK, upstream.uri())) {
            assertThat(proxy.server().status().tlsProvider()).isEqualTo("JDK");
            assertThat(proxy.server().config().tlsProvider()).isEqualTo(TlsProvider.JDK);
        }
    }

    @Test
    void theJvmIsLeftAsItWas() throws Exception {
        List<String> providers =
                List.of(Security.getProviders()).stream().map(Object::toString).toList();
        Properties before = (Properties) System.getProperties().clone();
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri());
                Response response = proxy.get("/")) {
            assertThat(response.code()).isEqualTo(200);
        }
        assertThat(List.of(Security.getProviders()).stream()
                        .map(Object::toString)
                        .toList())
                .isEqualTo(providers);
        assertThat(System.getProperties()).isEqualTo(before);
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1_TLS", "H2_TLS_JDK"})
    void clearRequestOnTheTlsPortIsRedirected(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            String location = "Location: https://a.example:" + proxy.port() + "/x;y?z=1\r\n";
            try (RawConnection client = RawConnection.open(proxy.port())) {
                client.send("GET /x;y?z=1 HTTP/1.1¶Host: a.example:80¶¶");
                assertThat(client.readResponse()).startsWith("HTTP/1.1 301 ").contains(location);
            }
            try (RawConnection client = RawConnection.open(proxy.port())) {
                client.send("POST /x;y?z=1 HTTP/1.1¶Host: a.example¶Content-Length: 3¶¶abc");
                assertThat(client.readResponse()).startsWith("HTTP/1.1 308 ").contains(location);
            }
            try (RawConnection client = RawConnection.open(proxy.port())) {
                client.send("\u0001\u0002\u0003");
                assertThat(client.end()).isIn("end", "reset");
            }
            assertThat(upstream.connections()).isZero();
        }
    }

    @Test
    void oneServerClosesUnderLoadAndTheOtherDoesNotNotice() throws Exception {
        ExecutorService clients = Executors.newFixedThreadPool(4, task -> new Thread(task, "test-client"));
        AtomicBoolean stop = new AtomicBoolean();
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy stays = TestProxy.start(Front.H1_TLS, upstream.uri())) {
            TestProxy goes = TestProxy.start(Front.H1_TLS, upstream.uri());
            CountDownLatch busy = new CountDownLatch(4);
            List<Future<Integer>> failures = List.of(
                    clients.submit(() -> load(stays, stop, busy, true)),
                    clients.submit(() -> load(stays, stop, busy, true)),
                    clients.submit(() -> load(goes, stop, busy, false)),
                    clients.submit(() -> load(goes, stop, busy, false)));
            assertThat(busy.await(30, TimeUnit.SECONDS)).isTrue();
            goes.close();
            int before = served(stays);
            await().until(() -> served(stays) > before + 100);
            stop.set(true);
            assertThat(failures.get(0).get(30, TimeUnit.SECONDS)).isZero();
            assertThat(failures.get(1).get(30, TimeUnit.SECONDS)).isZero();
        } finally {
            clients.shutdownNow();
            assertThat(clients.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    private static int served(TestProxy proxy) {
        return proxy.ended();
    }

    private static int load(TestProxy proxy, AtomicBoolean stop, CountDownLatch busy, boolean reconnect) {
        int failures = 0;
        boolean first = true;
        while (!stop.get()) {
            try (RawConnection client = proxy.raw()) {
                for (int i = 0; i < 50 && !stop.get(); i++) {
                    client.send("GET / HTTP/1.1¶Host: a¶¶");
                    if (!client.readResponse().endsWith("ok")) {
                        failures++;
                    }
                    if (first) {
                        first = false;
                        busy.countDown();
                    }
                }
            } catch (IOException e) {
                failures++;
                if (!reconnect) {
                    return failures;
                }
            }
        }
        return failures;
    }

    @OverEachFront
    void closeLetsTheExchangeInFlightEnd(Front front) throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
            c.readHead();
            asked.countDown();
            release.await(30, TimeUnit.SECONDS);
            c.send(OK);
        })) {
            TestProxy proxy =
                    TestProxy.start(front, b -> b.forward(upstream.uri()).drainTime(Duration.ofSeconds(20)));
            CompletableFuture<String> answer = CompletableFuture.supplyAsync(() -> {
                try (Response response = proxy.get("/")) {
                    return response.body().string();
                } catch (IOException e) {
                    return e.toString();
                }
            });
            assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
            CompletableFuture<Void> closed =
                    proxy.server().drain(Duration.ofSeconds(20)).toCompletableFuture();
            release.countDown();
            assertThat(answer.get(30, TimeUnit.SECONDS)).isEqualTo("ok");
            closed.get(30, TimeUnit.SECONDS);
            proxy.close();
        }
    }

    @Test
    void basicAuthHoldsBeforeTheUpstreamAndItsCredentialsStayHere() throws Exception {
        BlockingQueue<String> heads = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                        heads.add(head);
                        c.send(OK);
                    }
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1_TLS, b -> b.forward(upstream.uri()).basicAuth("user", "sécret"))) {
            try (Response response = proxy.get("/")) {
                assertThat(response.code()).isEqualTo(401);
                assertThat(response.header("WWW-Authenticate"))
                        .startsWith("Basic realm=")
                        .contains("charset=\"UTF-8\"");
            }
            assertThat(proxy.record().error())
                    .as("an answer by configuration is no error")
                    .isEmpty();
            assertThat(request(proxy, "user", "wrong")).isEqualTo(401);
            assertThat(heads).isEmpty();
            assertThat(request(proxy, "user", "sécret")).isEqualTo(200);
            assertThat(heads.poll(30, TimeUnit.SECONDS).toLowerCase(Locale.ROOT))
                    .doesNotContain("authorization");
            proxy.server().update(b -> b.basicAuth("user", "changed"));
            assertThat(request(proxy, "user", "sécret"))
                    .as("on the kept-alive connection, at once")
                    .isEqualTo(401);
            assertThat(request(proxy, "user", "changed")).isEqualTo(200);
        }
    }

    private static int request(TestProxy proxy, String user, String password) throws IOException {
        Request request = new Request.Builder()
                .url(proxy.url("/"))
                .header("Authorization", Credentials.basic(user, password, java.nio.charset.StandardCharsets.UTF_8))
                .build();
        try (Response response = proxy.client().newCall(request).execute()) {
            return response.code();
        }
    }

    @Test
    void updateSwapsRoutesAllOrNothing() throws Exception {
        try (RawUpstream first = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 1¶¶1");
                RawUpstream second = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 1¶¶2");
                TestProxy proxy = TestProxy.start(
                        Front.H1, b -> b.route(r -> r.name("main").forward(first.uri())))) {
            assertThat(body(proxy)).isEqualTo("1");
            proxy.server().update(b -> b.route(r -> r.name("main").forward(second.uri())));
            assertThat(body(proxy)).isEqualTo("2");
            assertThatThrownBy(() -> proxy.server().update(b -> b.removeRoute("main")))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> proxy.server().update(b -> b.tuning(t -> t.withIoThreads(7))))
                    .isInstanceOf(ProxyStartException.class);
            assertThat(body(proxy)).isEqualTo("2");
            assertThat(proxy.server().config().tuning().ioThreads()).isEqualTo(2);
        }
    }

    @Test
    void updateOfAClosedServerIsRefusedAndStartsNothing() throws Exception {
        Authenticator never = new Authenticator() {
            @Override
            public void start(ScheduledExecutorService executor) {
                throw new AssertionError("started");
            }

            @Override
            public CompletionStage<AuthDecision> authenticate(RequestHead request) {
                throw new AssertionError("asked");
            }
        };
        TestProxy proxy = TestProxy.start(Front.H1, "http://127.0.0.1:1");
        proxy.close();
        assertThatThrownBy(() -> proxy.server().update(b -> b.http(0).authenticator(never)))
                .isInstanceOf(ProxyStartException.class)
                .hasMessage("The server is closed: start another one.");
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS", "H2_TLS"})
    void otherLimitsHoldForConnectionsThatComeLater(Front front) throws Exception {
        TestClock clock = new TestClock();
        Duration keepAlive = Duration.ofSeconds(1);
        try (TestProxy proxy = TestProxy.start(front, clock, b -> b.route(r -> r.answer(Answer.text(200, "here"))))) {
            HttpLimits wide = HttpLimits.defaults()
                    .withRequestHeadBytes(160 * 1024)
                    .withFields(1000)
                    .withKeepAliveTime(keepAlive);
            proxy.server().update(b -> b.tuning(t -> t.withHttp(wide)));
            Headers.Builder fields = new Headers.Builder();
            for (int i = 0; i < 600; i++) {
                fields.add("X-" + i, "x".repeat(200));
            }
            Request large = new Request.Builder()
                    .url(proxy.url("/"))
                    .headers(fields.build())
                    .build();
            try (Response response = proxy.client().newCall(large).execute()) {
                assertThat(response.code()).isEqualTo(200);
            }
            proxy.record();
            clock.passAndLook(keepAlive.minusNanos(1));
            assertThat(proxy.server().status().connections()).isEqualTo(1);
            clock.pass(Duration.ofNanos(1));
            // the client itself would give it up after 30 s
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() ->
                            assertThat(proxy.server().status().connections()).isZero());
        }
    }

    private static String body(TestProxy proxy) throws IOException {
        try (Response response = proxy.get("/")) {
            return response.body().string();
        }
    }
}
