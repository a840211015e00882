package io.webproxy.blackbox.security;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.undertow.util.HttpString;
import io.webproxy.ProxyConfig;
import io.webproxy.ProxyStartException;
import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import io.webproxy.auth.BasicAuth;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.FilterDecision;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.LoggedErrors;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.WebSocketHandshake;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.Http2Upstream;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import okhttp3.Credentials;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The upstream is told who the authenticated user is, and only this server can tell it. */
@ExtendWith(LeakCheck.class)
class SendUserTest {
    private static final String ANN = Credentials.basic("ann", "secret");
    private static final String[] FORGED = {
        "Authorization", ANN,
        "X-Forwarded-User", "forged",
        "x-forwarded-user", "forged",
        "X_Forwarded_User", "forged",
        "X-Forwarded_User", "forged",
        "X.Forwarded.User", "forged",
        "X--Forwarded-User", "forged",
        "X-Forwarded-User-", "forged",
        "X-Who", "forged",
        "x_who", "forged",
        "X-Other", "passes"
    };

    /** The user that a client names, whoever it is. */
    private static final Authenticator OWN = request -> CompletableFuture.completedFuture(
            AuthDecision.granted(request.header("X-Name").orElse("")));

    private final BlockingQueue<String> heads = new LinkedBlockingQueue<>();
    private RawUpstream upstream;

    @BeforeEach
    void startUpstream() throws IOException {
        upstream = RawUpstream.start(c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                StringBuilder trailers = new StringBuilder();
                if (head.contains("chunked")) {
                    String line;
                    do {
                        line = c.readLine();
                        trailers.append(line);
                    } while (!line.isBlank());
                }
                heads.add((head + trailers).toLowerCase(Locale.ROOT));
                boolean tunnel = head.contains("Upgrade: ");
                c.send(
                        !tunnel
                                ? "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok"
                                : head.contains("websocket")
                                        ? WebSocketHandshake.answerTo(head)
                                        : "HTTP/1.1 101 Switching Protocols¶Connection: Upgrade¶Upgrade: tcp¶¶");
                if (tunnel) {
                    c.readAll();
                    return;
                }
            }
        });
    }

    @AfterEach
    void stopUpstream() throws IOException {
        upstream.close();
    }

    /** A route that sends users, one that sends them in another field, one that doesn't, and one without users. */
    private TestProxy proxy(Front front, Consumer<ProxyConfig.Builder> more) {
        return TestProxy.start(front, b -> {
            b.basicAuth("ann", "secret")
                    .route(r -> r.name("sends")
                            .allowUpgrade("tcp")
                            .allowPreflight()
                            .sendUser("X-Forwarded-User")
                            .forward(upstream.uri()))
                    .route(r -> r.name("who").path("/who").sendUser("X-Who").forward(upstream.uri()))
                    .route(r ->
                            r.name("silent").path("/silent").allowUnderscores().forward(upstream.uri()))
                    .route(r ->
                            r.name("open").path("/open").withoutAuthentication().forward(upstream.uri()));
            more.accept(b);
        });
    }

    private String head() throws InterruptedException {
        String head = heads.poll(30, TimeUnit.SECONDS);
        assertThat(head).isNotNull();
        return head;
    }

    private String head(TestProxy proxy, String path, String... fields) throws Exception {
        try (Response response = proxy.get(path, fields)) {
            assertThat(response.code()).isEqualTo(200);
        }
        return head();
    }

    @ParameterizedTest
    @EnumSource(Front.class)
    void clientCannotForgeTheUserFieldOrAnythingLikeItOnAnyRoute(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, b -> {})) {
            assertThat(head(proxy, "/", FORGED))
                    .containsOnlyOnce("\r\nx-forwarded-user: ann\r\n")
                    .contains("\r\nx-other: passes\r\n")
                    .doesNotContain("forged", "secret", "x-who");
            assertThat(head(proxy, "/who", FORGED))
                    .containsOnlyOnce("\r\nx-who: ann\r\n")
                    .doesNotContain("forged", "x-forwarded-user");
            for (String path : new String[] {"/silent", "/open"}) {
                assertThat(head(proxy, path, FORGED))
                        .contains("\r\nx-other: passes\r\n")
                        .doesNotContain("forged", "x-forwarded-user", "x-who");
            }
            assertThat(proxy.server()
                            .update(b ->
                                    b.removeRoute("sends").removeRoute("who").forward(upstream.uri())))
                    .isNotNull();
            assertThat(head(proxy, "/open", FORGED))
                    .as("once no route sends users they are fields like others")
                    .contains("\r\nx-who: forged\r\n");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H2_TLS"})
    void clientCannotForgeTheUserFieldThroughATrustedProxy(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, b -> b.trustedProxies("127.0.0.1"))) {
            assertThat(head(proxy, "/", FORGED))
                    .containsOnlyOnce("\r\nx-forwarded-user: ann\r\n")
                    .doesNotContain("forged");
            assertThat(head(proxy, "/open", FORGED)).doesNotContain("forged");
        }
    }

    @Test
    void clientCannotForgeTheUserFieldInTrailers() throws Exception {
        String trailers = "X-Forwarded-User: forged¶X-Who: forged¶X_Who: forged¶X-Who-: forged¶X-Sum: 1¶¶";
        try (TestProxy proxy = proxy(Front.H1, b -> {});
                RawConnection client = proxy.raw()) {
            for (String path : new String[] {"/who", "/open", "/silent"}) {
                client.send("POST " + path + " HTTP/1.1¶Host: a¶Authorization: " + ANN
                        + "¶Transfer-Encoding: chunked¶¶0¶" + trailers);
                assertThat(client.readResponse()).endsWith("ok");
                assertThat(head()).contains("\r\nx-sum: 1\r\n").doesNotContain("forged");
            }
        }
        try (TestProxy proxy = proxy(Front.H2_TLS, b -> {});
                Http2Client client = Http2Client.open(proxy)) {
            client.sendBlock(
                    0, 1, Http2Client.block("POST", "/who", "localhost", "authorization", ANN), Integer.MAX_VALUE);
            client.sendBlock(
                    Http2Client.END_STREAM,
                    1,
                    Http2Client.fields("x-who", "forged", "x_who", "forged", "x-sum", "1"),
                    Integer.MAX_VALUE);
            assertThat(client.answer(1)).startsWith("200");
            assertThat(head())
                    .contains("\r\nx-sum: 1\r\n", "\r\nx-who: ann\r\n")
                    .doesNotContain("forged");
        }
    }

    @Test
    void clientCannotRemoveTheUserFieldByConnection() throws Exception {
        try (TestProxy proxy = proxy(Front.H1, b -> {});
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.1¶Host: a¶Authorization: " + ANN
                    + "¶Connection: X-Forwarded-User, keep-alive¶X-Forwarded-User: forged¶¶");
            assertThat(client.readResponse()).endsWith("ok");
            assertThat(head()).containsOnlyOnce("\r\nx-forwarded-user: ann\r\n").doesNotContain("forged");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS", "H2_TLS"})
    void removalAppliesAtOnceOnOpenConnections(Front front) throws Exception {
        try (TestProxy proxy = TestProxy.start(
                front,
                b -> b.basicAuth("ann", "secret").route(r -> r.name("all").forward(upstream.uri())))) {
            assertThat(head(proxy, "/", FORGED)).contains("\r\nx-who: forged\r\n");
            proxy.server()
                    .update(b -> b.route(r -> r.name("all").sendUser("X-Who").forward(upstream.uri())));
            assertThat(head(proxy, "/", FORGED))
                    .containsOnlyOnce("\r\nx-who: ann\r\n")
                    .doesNotContain("x_who", "x-who: forged");
            proxy.server()
                    .update(b -> b.route(
                            b.build().routes().get(0).toBuilder().withoutUser().build()));
            assertThat(head(proxy, "/", FORGED)).contains("\r\nx-who: forged\r\n");
        }
    }

    @ParameterizedTest
    @EnumSource(Front.class)
    void withoutAUserThereIsNoField(Front front) throws Exception {
        try (TestProxy proxy = TestProxy.start(
                front,
                b -> b.route(r -> r.authenticator(OWN).sendUser("X-Who").forward(upstream.uri()))
                        .route(r -> r.path("/open").sendUser("X-Who").forward(upstream.uri())))) {
            assertThat(head(proxy, "/", "X-Name", "bob!~", "X-Who", "forged")).contains("\r\nx-who: bob!~\r\n");
            assertThat(head(proxy, "/", "X-Who", "forged")).doesNotContain("x-who");
            assertThat(head(proxy, "/open", "X-Who", "forged")).doesNotContain("x-who");
        }
    }

    @ParameterizedTest
    @EnumSource(Front.class)
    @ExpectedLog(
            logger = "io.webproxy.undertow.pipeline.Authentication",
            contains = "can't be sent in X-Who (expected: visible ASCII characters)")
    void userWithOtherCharactersIsNeverSent(Front front) throws Exception {
        String[] names = {"two words", "caf\u00e9", "a\tb", "a\r\nX-Admin: yes", "a\0", "\u4e2d"};
        try (TestProxy proxy = TestProxy.start(
                front,
                b -> b.route(r -> r.authenticator(request -> CompletableFuture.completedFuture(
                                AuthDecision.granted(names[Integer.parseInt(request.query())])))
                        .sendUser("X-Who")
                        .forward(upstream.uri())))) {
            for (int i = 0; i < names.length; i++) {
                try (Response response = proxy.get("/?" + i)) {
                    assertThat(response.code()).isEqualTo(500);
                    assertThat(proxy.record().error()).contains(ForwardError.APPLICATION_FAILED);
                }
            }
            assertThat(heads).isEmpty();
        }
    }

    @Test
    void filterCannotChangeTheUserFieldWhereUsersAreSent() throws Exception {
        try (TestProxy proxy = TestProxy.start(
                Front.H1,
                b -> b.basicAuth("ann", "secret")
                        .route(r -> r.sendUser("X-Who")
                                .filter(request -> FilterDecision.proceed()
                                        .setHeader(
                                                "X-Who", request.header("X-Who").orElse("forged"))
                                        .setHeader("x_who", "forged")
                                        .setHeader("X-Mine", request.user().orElse("")))
                                .forward(upstream.uri()))
                        .route(r -> r.path("/fixed")
                                .setRequestHeader("X-Who", "guest")
                                .forward(upstream.uri())))) {
            assertThat(head(proxy, "/", FORGED))
                    .containsOnlyOnce("\r\nx-who: ann\r\n")
                    .contains("\r\nx-mine: ann\r\n")
                    .doesNotContain("x-who: forged", "x_who");
            assertThat(head(proxy, "/fixed", FORGED))
                    .as("what another route's operator says")
                    .containsOnlyOnce("\r\nx-who: guest\r\n");
        }
    }

    @Test
    void authenticatorsAndFiltersDontSeeForgedUsersEither() throws Exception {
        BlockingQueue<Boolean> seen = new LinkedBlockingQueue<>();
        try (TestProxy proxy = TestProxy.start(
                Front.H1,
                b -> b.authenticator(request -> {
                            seen.add(request.header("X-Who").isPresent());
                            return OWN.authenticate(request);
                        })
                        .route(r -> r.sendUser("X-Who")
                                .filter(request -> {
                                    seen.add(request.header("X-Who").isPresent());
                                    return FilterDecision.proceed();
                                })
                                .forward(upstream.uri())))) {
            assertThat(head(proxy, "/admin", FORGED)).doesNotContain("forged\r\nx_who", "x-who");
            assertThat(seen.take()).isFalse();
            assertThat(seen.take()).isFalse();
        }
    }

    @Test
    void preflightThatPassesWithoutCredentialsHasNoUser() throws Exception {
        try (TestProxy proxy = proxy(Front.H1, b -> {});
                RawConnection client = proxy.raw()) {
            client.send("OPTIONS / HTTP/1.1¶Host: a¶Origin: https://b¶Access-Control-Request-Method: PUT¶"
                    + "X-Forwarded-User: forged¶¶");
            assertThat(client.readResponse()).endsWith("ok");
            assertThat(head()).startsWith("options / ").doesNotContain("x-forwarded-user");
        }
    }

    @Test
    void tunnelsAreOpenedInTheUsersName() throws Exception {
        try (TestProxy proxy = proxy(Front.H1, b -> {})) {
            for (String request : new String[] {
                WebSocketHandshake.REQUEST, "GET / HTTP/1.1¶Host: a¶Connection: Upgrade¶Upgrade: tcp¶¶"
            }) {
                try (RawConnection client = proxy.raw()) {
                    client.send(request.replaceFirst(
                            "¶", "¶Authorization: " + ANN + "¶X-Forwarded-User: forged¶X_Forwarded_User: forged¶"));
                    assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
                    assertThat(head())
                            .containsOnlyOnce("\r\nx-forwarded-user: ann\r\n")
                            .doesNotContain("forged");
                }
            }
        }
        try (TestProxy proxy = proxy(Front.H2_TLS, b -> {});
                Http2Client client = Http2Client.open(proxy)) {
            client.open(
                    1,
                    "CONNECT",
                    "/",
                    "localhost",
                    ":protocol",
                    "websocket",
                    "sec-websocket-version",
                    "13",
                    "authorization",
                    ANN,
                    "x-forwarded-user",
                    "forged",
                    "x_forwarded_user",
                    "forged");
            assertThat(client.status(client.next(Http2Client.HEADERS))).isEqualTo("200");
            assertThat(head())
                    .contains("upgrade: websocket")
                    .containsOnlyOnce("\r\nx-forwarded-user: ann\r\n")
                    .doesNotContain("forged");
        }
    }

    @Test
    void upstreamOfHttp2IsToldToo() throws Exception {
        BlockingQueue<String> users = new LinkedBlockingQueue<>();
        try (Http2Upstream http2 = Http2Upstream.start(
                        true,
                        exchange -> users.add(exchange.getRequestHeaders()
                                        .get("X-Forwarded-User")
                                        .toString()
                                + exchange.getRequestHeaders().contains(new HttpString("x_forwarded_user"))));
                TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        b -> b.basicAuth("ann", "secret")
                                .route(r -> r.sendUser("X-Forwarded-User").forward(http2.upstream())));
                Response response = proxy.get("/", FORGED)) {
            assertThat(response.code()).isEqualTo(200);
            assertThat(users.take()).isEqualTo("[ann]false");
        }
    }

    @Test
    void retryTellsTheNextUpstreamTheSameOnce() throws Exception {
        try (RawUpstream closing = RawUpstream.start(RawConnection::readHead);
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.basicAuth("ann", "secret")
                                .route(r -> r.sendUser("X-Forwarded-User").forward(closing.uri(), upstream.uri())))) {
            for (int i = 0; i < 2; i++) {
                assertThat(head(proxy, "/", FORGED))
                        .containsOnlyOnce("\r\nx-forwarded-user: ann\r\n")
                        .doesNotContain("forged\r\nx-forwarded");
            }
        }
    }

    @Test
    void userOfAFileThatCantBeSentStopsStartAndUpdate(@TempDir Path directory) throws Exception {
        String hash = "$2y$05$" + ".".repeat(53);
        Path file = Files.writeString(directory.resolve("users"), "ann:" + hash + "\ncaf\u00e9:" + hash + "\n");
        Consumer<ProxyConfig.Builder> sending = b -> b.authenticator(BasicAuth.htpasswd(file))
                .route(r -> r.name("all").sendUser("X-Who").forward(upstream.uri()));
        String problem = "htpasswd: " + file
                + ", line 2, user caf? (expected: users of visible ASCII characters, for route all sends them in"
                + " X-Who)";
        assertThatThrownBy(() -> TestProxy.start(Front.H1, sending))
                .isInstanceOf(ProxyStartException.class)
                .hasMessage(problem);
        try (TestProxy proxy = TestProxy.start(
                Front.H1,
                b -> b.authenticator(BasicAuth.htpasswd(file))
                        .route(r -> r.name("all").forward(upstream.uri())))) {
            assertThatThrownBy(() -> proxy.server()
                            .update(b ->
                                    b.route(r -> r.name("all").sendUser("X-Who").forward(upstream.uri()))))
                    .isInstanceOf(ProxyStartException.class)
                    .hasMessage(problem);
            Files.writeString(file, "ann:" + hash + "\n");
            proxy.server()
                    .update(b -> b.route(r -> r.name("all").sendUser("X-Who").forward(upstream.uri())));
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H2_TLS"})
    @ExpectedLog(
            logger = "io.webproxy.auth",
            contains = ", line 2, user caf? (expected: users of visible ASCII characters, for route sends sends them in"
                    + " X-Who); the users from before stay in force")
    void userWhoCantBeSentRefusesAChangedFileAsAWhole(Front front, @TempDir Path directory) throws Exception {
        String hash = "$2y$04$DmULVGJldcqzkeYg7bc84utnHMhBl3Mo5OPbFXSwHR/6vomDDKzgO";
        Path file = Files.writeString(directory.resolve("users"), "ann:" + hash + "\n");
        String ann = Credentials.basic("ann", "correct horse");
        String bob = Credentials.basic("bob", "correct horse");
        String cafe = Credentials.basic("caf\u00e9", "correct horse", UTF_8);
        try (LoggedErrors log = new LoggedErrors("io.webproxy.auth");
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.authenticator(BasicAuth.htpasswd(file))
                                .route(r -> r.name("sends").sendUser("X-Who").forward(upstream.uri()))
                                .route(r -> r.path("/silent").forward(upstream.uri())))) {
            assertThat(head(proxy, "/", "Authorization", ann)).contains("\r\nx-who: ann\r\n");
            Files.writeString(file, "bob:" + hash + "\ncaf\u00e9:" + hash + "\n");
            await().until(() -> !log.warnings().isEmpty());
            assertThat(head(proxy, "/", "Authorization", ann)).contains("\r\nx-who: ann\r\n");
            for (String path : new String[] {"/", "/silent"}) {
                for (String user : new String[] {cafe, bob}) {
                    assertThat(status(proxy, path, user)).isEqualTo(401);
                }
            }
            proxy.server().update(b -> b.route(r -> r.name("new").path("/new").forward(upstream.uri())));
            assertThat(head(proxy, "/", "Authorization", ann))
                    .as("after an update about something else")
                    .contains("\r\nx-who: ann\r\n");
            Files.writeString(file, "ann:" + hash + "\nbob:" + hash + "\n");
            await().until(() -> status(proxy, "/", bob) == 200);
            assertThat(log.warnings()).hasSize(1);
            Files.writeString(file, "caf\u00e9:" + hash + "\n");
            proxy.server().update(b -> b.route(r -> r.name("sends").forward(upstream.uri())));
            await().until(() -> status(proxy, "/", cafe) == 200);
        }
    }

    private static int status(TestProxy proxy, String path, String credentials) throws IOException {
        try (Response response = proxy.get(path, "Authorization", credentials)) {
            return response.code();
        }
    }
}
