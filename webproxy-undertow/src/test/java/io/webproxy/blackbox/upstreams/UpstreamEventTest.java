package io.webproxy.blackbox.upstreams;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyConfig;
import io.webproxy.observe.ForwardError;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.observe.UpstreamEvent;
import io.webproxy.route.HealthCheck;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.Upstream;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.Told;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.tls.TrustStore;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.TestProxy;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import mockwebserver3.MockWebServer;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What is said of upstreams that fail, each kind of failure by a sentence of its own, to the log and to observers; and
 * nothing of it to clients.
 */
@ExtendWith(LeakCheck.class)
class UpstreamEventTest {
    private static final String LOGGER = "io.webproxy.upstream";

    private final BlockingQueue<Told> events = new LinkedBlockingQueue<>();
    private final ProxyObserver observer = Told.to(told -> {
        if (told.event() instanceof UpstreamEvent) {
            events.add(told);
        }
    });

    private UpstreamEvent event(String method) throws InterruptedException {
        Told told = events.poll(30, TimeUnit.SECONDS);
        assertThat(told).as("an event within 30 s").isNotNull();
        assertThat(told.method()).isEqualTo(method);
        return told.as(UpstreamEvent.class);
    }

    private UpstreamEvent failure(String upstream, int status) throws Exception {
        return failure(upstream, status, b -> {});
    }

    private UpstreamEvent failure(String upstream, int status, TimeoutPolicy timeouts) throws Exception {
        return failure(upstream, status, b -> b.timeouts(timeouts));
    }

    /** Sends requests that fail: one event, and no name in what the client gets. */
    private UpstreamEvent failure(String upstream, int status, Consumer<ProxyConfig.Builder> more) throws Exception {
        try (TestProxy proxy =
                TestProxy.start(Front.H1, b -> more.accept(b.forward(upstream).observer(observer)))) {
            for (int i = 0; i < 3; i++) {
                try (Response response = proxy.get("/")) {
                    assertThat(response.code()).isEqualTo(status);
                    assertThat(response.body().string()).doesNotContain("127.0.0.1", "localhost", "invalid");
                }
            }
            UpstreamEvent event = event("upstreamFailed");
            assertThat(events).as("more events for the same failure").isEmpty();
            assertThat(event.upstream()).isEqualTo(upstream);
            assertThat(event.detail()).contains(upstream).doesNotContain("Exception");
            return event;
        }
    }

    @Test
    @ExpectedLog(logger = LOGGER, contains = "refuses connections at 127.0.0.1")
    void refusal() throws Exception {
        // the same port of another address keeps it from being used
        try (ServerSocket elsewhere = new ServerSocket(0, 5, InetAddress.getByName("127.0.0.2"))) {
            UpstreamEvent event = failure("http://127.0.0.1:" + elsewhere.getLocalPort(), 502);
            assertThat(event.error()).contains(ForwardError.CONNECT_REFUSED);
        }
    }

    @Test
    @ExpectedLog(
            logger = LOGGER,
            contains = "The name no-such-host.invalid of http://no-such-host.invalid:80 isn't found")
    void nameThatIsNotFound() throws Exception {
        try (RawUpstream ignored = RawUpstream.answering("")) {
            assertThat(failure("http://no-such-host.invalid:80", 502).error()).contains(ForwardError.DNS);
        }
    }

    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    @ExpectedLog(logger = LOGGER, contains = "TLS to https://127.0.0.1:")
    void tlsToAnUpstreamInCleartext(TlsProvider provider) throws Exception {
        try (RawUpstream cleartext =
                RawUpstream.start(c -> c.send("HTTP/1.1 400 Bad Request¶¶").readByte())) {
            UpstreamEvent event =
                    failure("https://127.0.0.1:" + cleartext.port(), 502, b -> b.jdkTls(provider == TlsProvider.JDK));
            assertThat(event.error()).contains(ForwardError.CONNECT_TLS);
            assertThat(event.detail())
                    .endsWith("it doesn't speak TLS (expected: http:// or h2c:// for an upstream in cleartext)");
        }
    }

    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    @ExpectedLog(logger = LOGGER, contains = "TLS to https://127.0.0.1:")
    void tlsToAnUpstreamWhoseCertificateIsNotTrusted(TlsProvider provider) throws Exception {
        try (MockWebServer upstream = new MockWebServer()) {
            upstream.useHttps(TestProxy.identity().sslSocketFactory());
            upstream.start(InetAddress.getByName("127.0.0.1"), 0);
            UpstreamEvent event =
                    failure("https://127.0.0.1:" + upstream.getPort(), 502, b -> b.jdkTls(provider == TlsProvider.JDK));
            assertThat(event.error()).contains(ForwardError.CONNECT_TLS);
            assertThat(event.detail())
                    .contains("its certificate isn't trusted (expected: one that Upstream.withTrust(…) or the JVM's");
        }
    }

    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    @ExpectedLog(logger = LOGGER, contains = "TLS to https://127.0.0.2:")
    void tlsToAnUpstreamWithTheCertificateOfAnotherHost(TlsProvider provider, @TempDir Path directory)
            throws Exception {
        Path trust = Files.writeString(directory.resolve("root.pem"), TestProxy.rootPem());
        try (MockWebServer upstream = new MockWebServer()) {
            upstream.useHttps(TestProxy.identity().sslSocketFactory());
            upstream.start(InetAddress.getByName("127.0.0.2"), 0);
            Upstream elsewhere =
                    Upstream.of("https://127.0.0.2:" + upstream.getPort()).withTrust(TrustStore.pem(trust));
            try (TestProxy proxy = TestProxy.start(
                    Front.H1,
                    b -> b.route(r -> r.forward(elsewhere)).observer(observer).jdkTls(provider == TlsProvider.JDK))) {
                proxy.get("/").close();
                assertThat(event("upstreamFailed").detail()).contains("its certificate isn't for this host: ");
            }
        }
    }

    @Test
    @ExpectedLog(logger = LOGGER, contains = "accepts no connection within 300 ms")
    void connectThatNobodyAnswers() throws Exception {
        try (RawUpstream silent = RawUpstream.start(c -> c.readAll())) {
            TimeoutPolicy timeouts = TimeoutPolicy.defaults().withConnect(Duration.ofMillis(300));
            assertThat(failure("https://127.0.0.1:" + silent.port(), 504, timeouts)
                            .error())
                    .contains(ForwardError.CONNECT_TIMEOUT);
        }
    }

    @Test
    void answerThatNeverComes() throws Exception {
        try (RawUpstream closing = RawUpstream.start(c -> c.readHead())) {
            assertThat(failure(closing.uri(), 502).error()).contains(ForwardError.UPSTREAM_CLOSED);
        }
    }

    @Test
    @ExpectedLog(logger = LOGGER, contains = "others are preferred")
    void upstreamThatIsEjectedIsDown() throws Exception {
        try (ServerSocket elsewhere = new ServerSocket(0, 5, InetAddress.getByName("127.0.0.2"));
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forward("http://127.0.0.1:" + elsewhere.getLocalPort())
                                .tuning(t -> t.withOutlierEjection(OutlierEjection.defaults()
                                        .withConnectFailures(1)
                                        .withTime(Duration.ofSeconds(10))))
                                .observer(observer))) {
            proxy.get("/").close();
            event("upstreamDown");
        }
    }

    @Test
    @ExpectedLog(logger = LOGGER, contains = "fails its health check /ready and gets no requests: status 503")
    void healthCheckTakesItDownAndBringsItBack() throws Exception {
        AtomicReference<String> status = new AtomicReference<>("503 Service Unavailable");
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    while (!c.readHead().isEmpty()) {
                        c.send("HTTP/1.1 " + status.get() + "¶Content-Length: 0¶¶");
                    }
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.forward(UpstreamGroup.of(upstream.uri())
                                        .healthCheck(HealthCheck.path("/ready")
                                                .withInterval(Duration.ofMillis(100))
                                                .withTimeout(Duration.ofSeconds(10))
                                                .withThresholds(2, 2))))
                                .observer(observer))) {
            UpstreamEvent down = event("upstreamDown");
            assertThat(down.error()).isEmpty();
            assertThat(proxy.server().status().upstreams().get(upstream.uri()).healthy())
                    .isFalse();
            status.set("200 OK");
            UpstreamEvent up = event("upstreamUp");
            assertThat(up.detail()).startsWith(upstream.uri() + " is back: it passes its health check /ready again");
        }
    }
}
