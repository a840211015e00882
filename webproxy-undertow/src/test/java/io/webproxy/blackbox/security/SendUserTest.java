package io.webproxy.blackbox.security;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.undertow.util.HttpString;
import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.ProxyStartException;
import io.webproxy.ServerStarts;
import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import io.webproxy.auth.BasicAuth;
import io.webproxy.http.Answer;
import io.webproxy.http.RequestHead;
import io.webproxy.http.ResponseHead;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.FilterDecision;
import io.webproxy.route.Route;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.LoggedErrors;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.WebSocketHandshake;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutClassifier;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.undertow.server.RunningProxy;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.Http2Upstream;
import io.webproxy.undertow.testing.OverBothVersions;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import okhttp3.Credentials;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

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

    @OverEachFront
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

    @OverBothVersions
    void clientCannotForgeTheUserFieldThroughATrustedProxy(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, b -> b.trustedProxies("127.0.0.1"))) {
            assertThat(head(proxy, "/", FORGED))
                    .containsOnlyOnce("\r\nx-forwarded-user: ann\r\n")
                    .doesNotContain("forged");
            assertThat(head(proxy, "/open", FORGED)).doesNotContain("forged");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void clientCannotForgeTheUserFieldInTrailers(boolean trusted) throws Exception {
        Consumer<ProxyConfig.Builder> more = b -> b.trustedProxies(trusted ? "127.0.0.1" : "192.0.2.1");
        String trailers = "X-Forwarded-User: forged¶X-Who: forged¶X_Who: forged¶X-Who-: forged¶X-Sum: 1¶¶";
        try (TestProxy proxy = proxy(Front.H1, more);
                RawConnection client = proxy.raw()) {
            for (String path : new String[] {"/who", "/open", "/silent"}) {
                client.send("POST " + path + " HTTP/1.1¶Host: a¶Authorization: " + ANN
                        + "¶Transfer-Encoding: chunked¶¶0¶" + trailers);
                assertThat(client.readResponse()).endsWith("ok");
                assertThat(head()).contains("\r\nx-sum: 1\r\n").doesNotContain("forged");
            }
        }
        try (TestProxy proxy = proxy(Front.H2_TLS, more);
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

    @OverEachFront
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

    @ParameterizedTest
    @CsvSource({"H1, false", "H1, true", "H1_TLS_JDK, false", "H2_TLS, false", "H2_TLS, true", "H2_TLS_JDK, false"})
    void applicationsCodeDoesntSeeForgedUsersEither(Front front, boolean trusted) throws Exception {
        Set<String> places = ConcurrentHashMap.newKeySet();
        Set<String> seen = ConcurrentHashMap.newKeySet();
        BiConsumer<String, RequestHead> look = (place, request) -> {
            places.add(place);
            request.headerNames().forEach(name -> seen.add(name.toLowerCase(Locale.ROOT)));
            request.header("X-Who").ifPresent(seen::add);
            seen.addAll(request.headers("x_who"));
        };
        TimeoutClassifier usual = TimeoutPolicy.defaults().classifier();
        try (TestProxy proxy = TestProxy.start(
                front,
                b -> b.trustedProxies(trusted ? "127.0.0.1" : "192.0.2.1")
                        .authenticator(request -> {
                            look.accept("authenticator", request);
                            return OWN.authenticate(request);
                        })
                        .timeouts(TimeoutPolicy.defaults().withClassifier(new TimeoutClassifier() {
                            @Override
                            public TimeoutClass classify(RequestHead request) {
                                look.accept("classifier", request);
                                return usual.classify(request);
                            }

                            @Override
                            public TimeoutClass upgrade(TimeoutClass current, ResponseHead response) {
                                return usual.upgrade(current, response);
                            }
                        }))
                        .errorPages((status, error, request) -> {
                            look.accept("page", request);
                            return Optional.empty();
                        })
                        .route(r -> r.sendUser("X-Who")
                                .allowUnderscores()
                                .filter(request -> {
                                    look.accept("filter", request);
                                    return FilterDecision.proceed();
                                })
                                .responseFilter((request, response) -> {
                                    look.accept("response filter", request);
                                    return FilterDecision.proceed();
                                })
                                .forward(UpstreamGroup.of(upstream.uri(), upstream.uri() + "/")
                                        .balancing(choice -> {
                                            look.accept("balancing", choice.request());
                                            return 0;
                                        })))
                        .route(r -> r.path("/own").answer(request -> {
                            look.accept("answer", request);
                            return Answer.of(404);
                        }))
                        .route(r -> r.path("/dead").forward("http://127.0.0.1:1")))) {
            assertThat(head(proxy, "/", FORGED)).doesNotContain("x_who", "x-who");
            for (String path : new String[] {"/own", "/dead"}) {
                try (Response response = proxy.get(path, FORGED)) {
                    assertThat(response.code()).isGreaterThan(400);
                }
            }
            assertThat(places)
                    .containsExactlyInAnyOrder(
                            "authenticator", "classifier", "page", "filter", "response filter", "balancing", "answer");
            assertThat(seen)
                    .contains("x-other")
                    .allSatisfy(name -> assertThat(name).doesNotContain("who").isNotEqualTo("forged"));
        }
    }

    /** The builder refuses such a condition: this is what would hold without that. */
    @ParameterizedTest
    @CsvSource({"H1, false", "H1, true", "H2_TLS, false", "H2_TLS, true"})
    void conditionOfARouteDoesntSeeForgedUsersEither(Front front, boolean trusted) throws Exception {
        ProxyConfig.Builder builder = ProxyServer.builder()
                .bind("127.0.0.1")
                .tuning(t -> t.withIoThreads(1))
                .trustedProxies(trusted ? "127.0.0.1" : "192.0.2.1");
        for (String name : new String[] {"X-Who", "x_who", "X.Who"}) {
            builder.route(r -> r.name(name).matchHeader(name).answer(Answer.of(403)));
        }
        builder.route(r -> r.name("all").forward(upstream.uri()));
        OkHttpClient client = TestProxy.newClient(front);
        try (ProxyServer server = ServerStarts.start(
                (front.isTls() ? builder.https(0).certificates(TestProxy.certificates()) : builder.http(0)).build(),
                config -> {
                    sendUsers(config.routes().get(3));
                    return RunningProxy.start(config, System::nanoTime);
                })) {
            Request.Builder request = new Request.Builder()
                    .url("http" + (front.isTls() ? "s" : "") + "://localhost:"
                            + server.endpoints().get(0).address().getPort());
            for (int i = 0; i < FORGED.length; i += 2) {
                request.addHeader(FORGED[i], FORGED[i + 1]);
            }
            try (Response response = client.newCall(request.build()).execute()) {
                assertThat(response.code()).isEqualTo(200);
            }
            assertThat(head()).doesNotContain("x-who", "x_who");
        } finally {
            TestProxy.close(client);
        }
    }

    private static void sendUsers(Route route) {
        try {
            Field field = Route.class.getDeclaredField("userField");
            field.setAccessible(true);
            field.set(route, "X-Who");
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
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
