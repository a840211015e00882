package io.webproxy.blackbox.upstreams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyStatus;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.PoolLimits;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.OverHttp1;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Upstreams that log a connection in, as NTLM and Negotiate do: what one client has logged in on serves no other. */
@ExtendWith(LeakCheck.class)
class ConnectionLoginTest {
    private static final int STRANGERS = 32;

    private final AtomicInteger requests = new AtomicInteger();
    private RawUpstream upstream;

    /**
     * A server that logs connections in by three messages, as NTLM does; whoever uses a connection later is the same
     * user.
     */
    private final class LoginServer implements RawUpstream.Script {
        @Override
        public void run(RawConnection c) throws Exception {
            String user = "";
            boolean challenged = false;
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                requests.incrementAndGet();
                if (head.contains("/leave")) {
                    return;
                }
                if (head.contains(" negotiate")) {
                    c.send("HTTP/1.1 401 Unauthorized¶WWW-Authenticate: NTLM challenge¶Content-Length: 0¶¶");
                    challenged = true;
                } else if (challenged && head.contains(" authenticate-")) {
                    user = head.substring(head.indexOf(" authenticate-") + 14)
                            .lines()
                            .findFirst()
                            .orElseThrow();
                }
                if (!user.isEmpty() || head.contains("/open")) {
                    String served = user.isEmpty() ? "-" : user;
                    c.send("HTTP/1.1 200 OK¶Content-Length: " + served.length() + "¶¶" + served);
                } else if (!head.contains(" negotiate")) {
                    c.send("HTTP/1.1 401 Unauthorized¶WWW-Authenticate: Basic realm=\"a\"¶WWW-Authenticate: NTLM¶"
                            + "Content-Length: 0¶¶");
                }
            }
        }
    }

    @BeforeEach
    void startUpstream() throws IOException {
        upstream = RawUpstream.start(new LoginServer());
    }

    @AfterEach
    void stopUpstream() throws IOException {
        upstream.close();
    }

    private TestProxy proxy(Front front, Consumer<ProxyConfig.Builder> more) {
        return TestProxy.start(front, b -> {
            b.forward(upstream.uri()).tuning(t -> t.withIoThreads(1));
            more.accept(b);
        });
    }

    private static String get(RawConnection client, String path, String... fields) throws IOException {
        StringBuilder head = new StringBuilder("GET " + path + " HTTP/1.1¶Host: localhost¶");
        for (String field : fields) {
            head.append(field).append('¶');
        }
        return client.send(head + "¶").readResponse();
    }

    /** Logs in as a browser does: three requests on one connection. */
    private static void logIn(RawConnection client, String path, String user) throws IOException {
        assertThat(get(client, path)).startsWith("HTTP/1.1 401");
        assertThat(get(client, path, "Authorization: NTLM negotiate")).contains("NTLM challenge");
        assertThat(get(client, path, "Authorization: NTLM authenticate-" + user))
                .startsWith("HTTP/1.1 200")
                .endsWith(user);
    }

    private static ProxyStatus.Pool pool(TestProxy proxy) {
        return proxy.server().status().upstreams().values().iterator().next();
    }

    private static String stranger(TestProxy proxy) throws IOException {
        try (RawConnection client = proxy.raw()) {
            return get(client, "/open");
        }
    }

    private static void strangersAreStrangers(TestProxy proxy) throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(8);
        try {
            List<Future<String>> answers = new ArrayList<>();
            for (int i = 0; i < STRANGERS; i++) {
                answers.add(executor.submit(() -> stranger(proxy)));
            }
            for (Future<String> answer : answers) {
                assertThat(answer.get()).startsWith("HTTP/1.1 200").endsWith("\r\n\r\n-");
            }
        } finally {
            executor.shutdownNow();
        }
    }

    @OverHttp1
    void strangersAreNeverServedAsTheOneWhoLoggedIn(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, b -> {})) {
            try (RawConnection alice = proxy.raw()) {
                logIn(alice, "/", "alice");
                strangersAreStrangers(proxy);
                assertThat(get(alice, "/")).endsWith("alice");
            }
            strangersAreStrangers(proxy);
        }
    }

    @Test
    void eachClientHasItsOwnLogin() throws Exception {
        try (TestProxy proxy = proxy(Front.H1, b -> {});
                RawConnection alice = proxy.raw();
                RawConnection bob = proxy.raw()) {
            logIn(alice, "/", "alice");
            logIn(bob, "/", "bob");
            assertThat(get(alice, "/")).endsWith("alice");
            assertThat(get(bob, "/")).endsWith("bob");
        }
    }

    @Test
    void loginsHoldAmongSeveralUpstreams() throws Exception {
        try (RawUpstream other = RawUpstream.start(new LoginServer());
                TestProxy proxy = TestProxy.start(Front.H1, b -> b.forward(upstream.uri(), other.uri()));
                RawConnection alice = proxy.raw();
                RawConnection bob = proxy.raw()) {
            logIn(alice, "/", "alice");
            logIn(bob, "/", "bob");
            for (int i = 0; i < 3; i++) {
                assertThat(get(alice, "/")).endsWith("alice");
                assertThat(get(bob, "/")).endsWith("bob");
            }
        }
    }

    @Test
    void loginEndsWithTheClientConnection() throws Exception {
        try (TestProxy proxy = proxy(Front.H1, b -> {})) {
            try (RawConnection alice = proxy.raw()) {
                logIn(alice, "/", "alice");
                // the answer comes a moment before its connection is idle
                await().until(() -> pool(proxy).idle() == 1);
                assertThat(pool(proxy).open()).isEqualTo(1);
            }
            await().until(() -> pool(proxy).open() == 0 && pool(proxy).idle() == 0);
        }
    }

    @Test
    void loginOutlastsTheIdleTimeOfThePool() throws Exception {
        try (TestProxy proxy = proxy(
                        Front.H1,
                        b -> b.tuning(t -> t.withPool(PoolLimits.defaults().withIdle(128, Duration.ofMillis(1)))));
                RawConnection alice = proxy.raw()) {
            logIn(alice, "/", "alice");
            // the pool's own connection is closed by time; the one with the login stays
            assertThat(stranger(proxy)).endsWith("-");
            await().until(() -> pool(proxy).open() == 1);
            assertThat(get(alice, "/")).endsWith("alice");
        }
    }

    @Test
    void loginThatTheUpstreamHasEndedIsMadeAgain() throws Exception {
        try (TestProxy proxy = proxy(Front.H1, b -> {});
                RawConnection alice = proxy.raw()) {
            logIn(alice, "/", "alice");
            assertThat(alice.send("POST /leave HTTP/1.1¶Host: localhost¶Content-Length: 0¶¶")
                            .readResponse())
                    .startsWith("HTTP/1.1 502");
            logIn(alice, "/", "alice");
            assertThat(get(alice, "/")).endsWith("alice");
            assertThat(pool(proxy).open()).isEqualTo(1);
        }
    }

    @Test
    void loginOfOneRouteIsNoneOfAnother() throws Exception {
        try (TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.path("/a/").forward(upstream.uri()))
                                .route(r -> r.path("/b/").forward(upstream.uri())));
                RawConnection alice = proxy.raw()) {
            logIn(alice, "/a/", "alice");
            assertThat(get(alice, "/b/open")).endsWith("\r\n\r\n-");
            assertThat(get(alice, "/a/")).endsWith("alice");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void loginEndsWithItsRoute(boolean changed) throws Exception {
        try (TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.name("same").path("/same/").forward(upstream.uri()))
                                .route(r -> r.name("other").path("/other/").forward(upstream.uri())));
                RawConnection alice = proxy.raw();
                RawConnection bob = proxy.raw()) {
            logIn(alice, "/same/", "alice");
            logIn(bob, "/other/", "bob");
            assertThat(pool(proxy).open()).isEqualTo(2);
            proxy.server()
                    .update(c -> c.removeRoute("other")
                            .route(r -> r.name(changed ? "other" : "new")
                                    .path("/other/")
                                    .forward(upstream.uri())));
            await().until(() -> pool(proxy).open() == 1);
            assertThat(get(alice, "/same/")).endsWith("alice");
            assertThat(get(bob, "/other/open")).endsWith("\r\n\r\n-");
        }
    }

    @Test
    void loginEndsWithItsUpstream() throws Exception {
        try (RawUpstream other = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                TestProxy proxy = proxy(Front.H1, b -> {});
                RawConnection alice = proxy.raw()) {
            logIn(alice, "/", "alice");
            proxy.server().update(c -> c.forward(other.uri()));
            assertThat(get(alice, "/")).endsWith("ok");
            await().until(() -> proxy.server().status().upstreams().values().stream()
                            .mapToInt(ProxyStatus.Pool::open)
                            .sum()
                    == 1);
        }
    }

    @Test
    void loginDoesNotKeepOthersOutOfAFullPool() throws Exception {
        try (TestProxy proxy = proxy(
                        Front.H1,
                        b -> b.tuning(t -> t.withPool(PoolLimits.defaults().withConnections(1))));
                RawConnection alice = proxy.raw()) {
            logIn(alice, "/", "alice");
            assertThat(stranger(proxy)).startsWith("HTTP/1.1 200").endsWith("-");
            assertThat(get(alice, "/")).startsWith("HTTP/1.1 401");
        }
    }

    @Test
    void trustedProxyThatSharesItsConnectionSharesNoLogin() throws Exception {
        try (TestProxy proxy = proxy(Front.H1, b -> b.trustedProxies("127.0.0.0/8"));
                RawConnection shared = proxy.raw()) {
            assertThat(get(shared, "/", "X-Forwarded-For: 192.0.2.1")).startsWith("HTTP/1.1 401");
            await().until(() -> pool(proxy).open() == 0);
            assertThat(get(shared, "/", "X-Forwarded-For: 192.0.2.1", "Authorization: NTLM negotiate"))
                    .contains("NTLM challenge");
            await().until(() -> pool(proxy).open() == 0);
            assertThat(get(shared, "/", "X-Forwarded-For: 192.0.2.2", "Authorization: NTLM authenticate-bob"))
                    .startsWith("HTTP/1.1 401");
            assertThat(upstream.connections()).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H2_TLS", "H2_TLS_JDK"})
    void http2IsAskedToComeAgainOverHttp11(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, b -> {});
                Http2Client client = Http2Client.open(proxy)) {
            client.request(1, "GET", "/", "localhost", "authorization", "Negotiate negotiate");
            assertThat(client.resetOf(1)).isEqualTo(0xd);
            assertThat(proxy.record().error()).contains(ForwardError.REQUEST_REJECTED);
            assertThat(upstream.connections()).as("connections for it").isZero();

            client.request(3, "GET", "/", "localhost");
            assertThat(client.resetOf(3)).isEqualTo(0xd);
            assertThat(proxy.record().status()).isEqualTo(505);
            await().until(() -> pool(proxy).open() == 0);

            client.request(5, "GET", "/open", "localhost");
            assertThat(client.answer(5)).isEqualTo("200");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"Basic YTpi", "Bearer ntlm", "Digest username=\"NTLM\"", "AWS4-HMAC-SHA256 Credential=Negotiate"
            })
    void credentialsOfARequestKeepThePool(String credentials) throws Exception {
        try (TestProxy proxy = proxy(Front.H1, b -> {})) {
            for (int i = 0; i < 4; i++) {
                try (RawConnection client = proxy.raw()) {
                    assertThat(get(client, "/open", "Authorization: " + credentials))
                            .startsWith("HTTP/1.1 200");
                }
            }
            assertThat(upstream.connections()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Basic realm=\"x, NTLM\"", "Bearer, Basic realm=\"a\\\", Negotiate\"", "Digest nonce=ntlm"})
    void challengesOfARequestKeepThePool(String challenge) throws Exception {
        try (RawUpstream asking = RawUpstream.answering(
                        "HTTP/1.1 401 Unauthorized¶WWW-Authenticate: " + challenge + "¶Content-Length: 0¶¶");
                TestProxy proxy =
                        TestProxy.start(Front.H1, b -> b.forward(asking.uri()).tuning(t -> t.withIoThreads(1)))) {
            for (int i = 0; i < 4; i++) {
                try (RawConnection client = proxy.raw()) {
                    assertThat(get(client, "/")).startsWith("HTTP/1.1 401");
                }
            }
            assertThat(asking.connections()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "NTLM",
                "ntlm",
                "Negotiate",
                "Nego2",
                "Kerberos",
                "Basic realm=\"a\", NTLM",
                ", ,\tNegotiate YQ=="
            })
    void challengesOfAConnectionKeepItFromOthers(String challenge) throws Exception {
        try (RawUpstream asking = RawUpstream.answering(
                        "HTTP/1.1 401 Unauthorized¶WWW-Authenticate: " + challenge + "¶Content-Length: 0¶¶");
                TestProxy proxy =
                        TestProxy.start(Front.H1, b -> b.forward(asking.uri()).tuning(t -> t.withIoThreads(1)));
                RawConnection one = proxy.raw();
                RawConnection other = proxy.raw()) {
            for (int i = 0; i < 3; i++) {
                assertThat(get(one, "/")).startsWith("HTTP/1.1 401");
                assertThat(get(other, "/")).startsWith("HTTP/1.1 401");
            }
            assertThat(asking.connections()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"NTLM YQ==", "ntlm YQ==", "Negotiate YQ==", "\tNego2 YQ==", "Kerberos YQ=="})
    void credentialsOfAConnectionKeepItFromOthers(String credentials) throws Exception {
        try (RawUpstream quiet = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                TestProxy proxy =
                        TestProxy.start(Front.H1, b -> b.forward(quiet.uri()).tuning(t -> t.withIoThreads(1)));
                RawConnection one = proxy.raw();
                RawConnection other = proxy.raw()) {
            for (int i = 0; i < 3; i++) {
                assertThat(get(one, "/", "Authorization: " + credentials)).endsWith("ok");
                assertThat(get(other, "/")).endsWith("ok");
            }
            assertThat(quiet.connections()).isEqualTo(2);
        }
    }
}
