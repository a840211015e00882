package io.webproxy.blackbox.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.webproxy.ProxyConfig;
import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import io.webproxy.http.ProxyProtocol;
import io.webproxy.http.RequestHead;
import io.webproxy.testing.GreetingSockets;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.endpoint.ProxyGreeting;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverBothVersions;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/**
 * Who the client is, by the PROXY protocol and by forwarding fields: one address, for authentication, limits, records
 * and fields alike.
 */
@ExtendWith(LeakCheck.class)
class ClientAddressTest {
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";
    private static final String V1 = "PROXY TCP4 203.0.113.7 127.0.0.1 4711 80\r\n";
    private static final String SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
    private static final String V2_OF_10_0_0_5 = SIGNATURE + "\u0021\u0011\0\14\12\0\0\5\u007f\0\0\1\1\2\0\u0050";
    private static final String V2_LOCAL = SIGNATURE + "\u0020\0\0\0";
    private static final String[] TRUSTED = {"127.0.0.1", "10.0.0.0/8"};
    private static final String[] OTHERS = {"10.0.0.0/8"};

    private final BlockingQueue<String> heads = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> asked = new LinkedBlockingQueue<>();
    private RawUpstream upstream;

    @BeforeEach
    void startUpstream() throws IOException {
        upstream = RawUpstream.start(c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                heads.add(head.toLowerCase(Locale.ROOT));
                c.send(OK);
            }
        });
    }

    @AfterEach
    void stopUpstream() throws IOException {
        upstream.close();
    }

    private final class Asking implements Authenticator {
        @Override
        public CompletionStage<AuthDecision> authenticate(RequestHead request) {
            asked.add(request.clientAddress().getHostAddress());
            return CompletableFuture.completedFuture(AuthDecision.granted("somebody"));
        }
    }

    private TestProxy proxy(Front front, ProxyProtocol mode, String[] trusted, Consumer<ProxyConfig.Builder> more) {
        return TestProxy.start(front, b -> {
            b.forward(upstream.uri())
                    .authenticator(new Asking())
                    .proxyProtocol(mode)
                    .trustedProxies(trusted);
            more.accept(b);
        });
    }

    private TestProxy proxy(Front front, ProxyProtocol mode, String... trusted) {
        return proxy(front, mode, trusted, b -> {});
    }

    private static int status(TestProxy proxy, String greeting, String... field) throws IOException {
        OkHttpClient client = TestProxy.newClient(proxy.front())
                .newBuilder()
                .socketFactory(GreetingSockets.oneByOne(greeting))
                .build();
        try (Response response = client.newCall(new Request.Builder()
                        .url(proxy.url("/"))
                        .headers(okhttp3.Headers.of(field))
                        .build())
                .execute()) {
            return response.code();
        } finally {
            TestProxy.close(client);
        }
    }

    /** All four places say the same; gives the head that the upstream has seen. */
    private String assertClient(TestProxy proxy, String expected, String greeting, String... field) throws Exception {
        assertThat(status(proxy, greeting, field)).isEqualTo(200);
        assertThat(asked.poll(30, TimeUnit.SECONDS)).as("authentication").isEqualTo(expected);
        assertThat(proxy.record().client().getHostAddress()).as("record").isEqualTo(expected);
        String head = heads.poll(30, TimeUnit.SECONDS);
        assertThat(head).as("field").contains("x-real-ip: " + expected + "\r\n");
        return head;
    }

    @ParameterizedTest
    @EnumSource(names = {"H1", "H1_TLS", "H2_TLS", "H2_TLS_JDK"})
    void headerOfATrustedProxyNamesTheClient(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, ProxyProtocol.OPTIONAL, TRUSTED)) {
            assertThat(assertClient(proxy, "203.0.113.7", V1, "X-Forwarded-For", "192.0.2.66"))
                    .as("forged by a client that is no proxy")
                    .contains("x-forwarded-for: 203.0.113.7\r\n")
                    .contains("forwarded: for=203.0.113.7;")
                    .doesNotContain("192.0.2.66");
            assertThat(assertClient(proxy, "192.0.2.66", V2_OF_10_0_0_5, "X-Forwarded-For", "192.0.2.66"))
                    .as("of a proxy behind the load balancer")
                    .contains("x-forwarded-for: 192.0.2.66, 10.0.0.5\r\n");
            assertClient(proxy, "192.0.2.66", V2_OF_10_0_0_5, "Forwarded", "for=\"192.0.2.66:99\"");
            assertClient(proxy, "10.0.0.5", V2_OF_10_0_0_5, "X-Forwarded-For", "192.0.2.66, unknown");
            assertClient(proxy, "127.0.0.1", V2_LOCAL);
            assertClient(proxy, "127.0.0.1", "PROXY UNKNOWN\r\n");
            assertClient(proxy, "192.0.2.66", "", "X-Forwarded-For", "192.0.2.66");
            proxy.server().update(b -> b.proxyProtocol(ProxyProtocol.REQUIRED));
            assertClient(proxy, "203.0.113.7", V1);
        }
    }

    @OverBothVersions
    void strangerIsTheClientWhateverItSays(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, ProxyProtocol.OPTIONAL, OTHERS)) {
            assertThat(assertClient(proxy, "127.0.0.1", "", "X-Forwarded-For", "192.0.2.66"))
                    .doesNotContain("192.0.2.66");
            assertThat(assertClient(proxy, "127.0.0.1", "", "Forwarded", "for=192.0.2.66"))
                    .doesNotContain("192.0.2.66");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ProxyProtocol.class,
            names = {"OFF", "OPTIONAL"})
    void headerOfAStrangerIsNoRequest(ProxyProtocol mode) throws Exception {
        try (TestProxy proxy = proxy(Front.H1, mode, OTHERS);
                RawConnection client = RawConnection.open(proxy.port())) {
            client.send(V1 + "GET / HTTP/1.1¶Host: a¶¶");
            assertThat(client.readAll()).startsWith("HTTP/1.1 400 ");
            assertThat(upstream.connections()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1", "H1_TLS"})
    void requiredHeaderThatIsMissingOrAStrangersClosesWithoutAWord(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, ProxyProtocol.REQUIRED, TRUSTED)) {
            assertEnds(proxy, "GET / HTTP/1.1¶Host: a¶¶");
            assertEnds(proxy, "\u0016\u0003\u0001");
            proxy.server().update(b -> b.trustedProxies(OTHERS));
            assertEnds(proxy, V1 + "GET / HTTP/1.1¶Host: a¶¶");
            assertThat(upstream.connections()).isZero();
        }
    }

    @Test
    void malformedHeaderOfATrustedProxyClosesWithoutAWord() throws Exception {
        try (TestProxy proxy = proxy(Front.H1, ProxyProtocol.OPTIONAL, TRUSTED)) {
            assertEnds(proxy, "PROXY TCP4 203.0.113.7 127.0.0.1 4711 65536¶GET / HTTP/1.1¶Host: a¶¶");
            assertEnds(proxy, SIGNATURE + "\u0031");
            assertThat(upstream.connections()).isZero();
        }
    }

    @Test
    void whyEveryoneIsRefusedIsSaidOnce() throws Exception {
        Logger logger = (Logger) LoggerFactory.getLogger(ProxyGreeting.class);
        Level level = logger.getLevel();
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.list = new CopyOnWriteArrayList<>();
        logger.setLevel(Level.INFO);
        logger.addAppender(log);
        log.start();
        try (TestProxy proxy = proxy(Front.H1, ProxyProtocol.REQUIRED, TRUSTED)) {
            assertEnds(proxy, "GET / HTTP/1.1¶Host: a¶¶");
            assertEnds(proxy, "PROXY TCP4 203.0.113.7 127.0.0.1 4711 65536¶");
            proxy.server().update(b -> b.trustedProxies(OTHERS));
            assertEnds(proxy, V1 + "GET / HTTP/1.1¶Host: a¶¶");
            assertEnds(proxy, V1 + "GET / HTTP/1.1¶Host: a¶¶");
            assertThat(log.list)
                    .extracting(ILoggingEvent::getFormattedMessage)
                    .containsExactly(
                            "Refused trusted proxy 127.0.0.1: it sent something else where the PROXY header belongs;"
                                    + " logged at most once a minute",
                            "Refused 127.0.0.1: a PROXY header is required, and believed from trusted proxies only,"
                                    + " which it isn't one of; logged at most once a minute");
        } finally {
            logger.detachAppender(log);
            logger.setLevel(level);
        }
    }

    private static void assertEnds(TestProxy proxy, String sent) throws IOException {
        try (RawConnection client = RawConnection.open(proxy.port())) {
            client.send(sent);
            assertThat(client.end()).isIn("end", "reset");
        }
    }

    @Test
    void limitsCountTheClientAndNotItsProxy() throws Exception {
        String other = "PROXY TCP4 203.0.113.8 127.0.0.1 4711 80\r\n";
        try (TestProxy proxy = proxy(
                Front.H1,
                ProxyProtocol.OPTIONAL,
                TRUSTED,
                b -> b.tuning(t -> t.withConnectionsPerAddress(1))
                        .route(r -> r.path("/rare").forward(upstream.uri()).rateLimit(1, Duration.ofHours(1))))) {
            try (RawConnection first = open(proxy, V1)) {
                assertThat(get(first, "/rare")).startsWith("HTTP/1.1 200 ");
                assertThat(get(first, "/rare")).startsWith("HTTP/1.1 429 ");
                try (RawConnection second = open(proxy, V1);
                        RawConnection third = open(proxy, other)) {
                    assertThat(second.send("GET / HTTP/1.1¶Host: a¶¶").end()).isIn("end", "reset");
                    assertThat(get(third, "/rare")).startsWith("HTTP/1.1 200 ");
                }
                assertThat(proxy.server().status().refused()).isEqualTo(1);
            }
            await().until(() -> proxy.server().status().connections() == 0);
            try (RawConnection again = open(proxy, V1)) {
                assertThat(get(again, "/")).startsWith("HTTP/1.1 200 ");
            }
        }
    }

    private static RawConnection open(TestProxy proxy, String greeting) throws IOException {
        return new GreetingSockets(greeting.getBytes(StandardCharsets.ISO_8859_1), 1 << 10).open(proxy.port());
    }

    private static String get(RawConnection connection, String path) throws IOException {
        return connection.send("GET " + path + " HTTP/1.1¶Host: a¶¶").readResponse();
    }
}
