package io.webproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.webproxy.auth.Authenticator;
import io.webproxy.http.HttpLimits;
import io.webproxy.http.StatusPage;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.port.InsideBuilder;
import io.webproxy.port.Sni;
import io.webproxy.route.Balancing;
import io.webproxy.route.PoolLimits;
import io.webproxy.route.Route;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.spi.AccessLogFormat;
import io.webproxy.spi.EndpointSettings;
import io.webproxy.spi.Listen;
import io.webproxy.spi.TlsProvider;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.tls.TrustStore;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProxyConfigTest {
    private static final String UPSTREAM = "http://127.0.0.1:8080";

    /** What a user writes first. */
    private static ProxyConfig.Builder valid() {
        return ProxyServer.builder().http(0).forward(UPSTREAM);
    }

    private static List<String> problems(ProxyConfig.Builder builder) {
        try {
            builder.build();
            return List.of();
        } catch (ProxyConfigException e) {
            assertThat(e).hasMessage(String.join("\n", e.problems()));
            return e.problems();
        }
    }

    @Test
    void twoCallsAreEnough() {
        ProxyConfig config = valid().build();

        assertThat(config.listens())
                .containsExactly(new Listen(Listen.Protocol.HTTP, 0, EndpointSettings.defaults(), Optional.empty()));
        assertThat(config.routes()).singleElement().satisfies(route -> {
            assertThat(route.host().isAny()).isTrue();
            assertThat(route.upstreams()).singleElement().hasToString(UPSTREAM);
        });
        assertThat(config.bind()).isEmpty();
        assertThat(config.certificates()).isEmpty();
        assertThat(config.authenticator()).isEmpty();
        assertThat(config.trustedProxies()).isEmpty();
        assertThat(config.observers()).isEmpty();
        assertThat(config.accessLog()).isEmpty();
        assertThat(config.tlsProvider()).isEqualTo(TlsProvider.AUTO);
        assertThat(config.tuning()).isEqualTo(Tuning.defaults());
        assertThat(config.drainTime()).isEqualTo(Duration.ofSeconds(30));
    }

    @Test
    void allProblemsAreReportedTogether() {
        ProxyConfig.Builder builder = ProxyServer.builder()
                .http(8080)
                .http(8080)
                .redirectHttp(8081)
                .certificates(Certificates.selfSigned("localhost"))
                .route(route -> route.path("/a").forward(UPSTREAM))
                .route(route -> route.path("/a").forward(UPSTREAM))
                .route(route -> route.name("x").path("/b").forward(UPSTREAM))
                .route(route -> route.name("x").path("/c").forward(UPSTREAM));

        assertThat(problems(builder))
                .containsExactly(
                        "port: 8080 (expected: each port only once)",
                        "redirectHttp: 8081 (expected: an https(port) to redirect to, or a port with a"
                                + " rule for TLS)",
                        "certificates: [selfSigned(localhost)] (expected: an https(port) that serves them)",
                        "route: /a is given twice (expected: each host and path only once; several upstreams in"
                                + " one forward(a, b), or a group)",
                        "route.name: x (expected: each name only once)");
    }

    @Test
    void emptyConfigurationSaysBothThingsThatAreMissing() {
        assertThat(problems(ProxyServer.builder()))
                .containsExactly(
                        "endpoints: none (expected: at least one of https(port), http(port), listen(port, rules))",
                        "routes: none (expected: forward(\"http://host:port\"), or at least one route)");
    }

    @Test
    void samePortOverTwoProtocolsIsAProblemAndAnyFreePortIsNot() {
        assertThat(problems(valid().https(8443).redirectHttp(8443)))
                .containsExactly("port: 8443 (expected: each port only once)");
        assertThat(problems(valid().http(0).https(0).https(0))).isEmpty();
    }

    @Test
    void redirectNeedsAnHttpsEndpoint() {
        assertThat(problems(valid().redirectHttp(0)))
                .containsExactly("redirectHttp: 0 (expected: an https(port) to redirect to, or a port with a"
                        + " rule for TLS)");
        assertThat(problems(valid().redirectHttp(0).https(0))).isEmpty();
        assertThat(problems(valid().listen(0, p -> p.redirectHttp())))
                .containsExactly("redirectHttp: 0 (expected: an https(port) to redirect to, or a port with a"
                        + " rule for TLS)");
        assertThat(problems(valid().listen(0, p -> p.redirectHttp().tls("127.0.0.1:443"))))
                .as("wherever TLS ends")
                .isEmpty();
        assertThat(problems(valid().redirectHttp(0)
                        .https(8443, e -> e.bind("127.0.0.1").answer(StatusPage.defaults()))))
                .as("only a status page has HTTPS")
                .containsExactly("redirectHttp: 0 (expected: an https(port) to redirect to, or a port with a"
                        + " rule for TLS)");
    }

    @Test
    void portThatServesNoRequestsNeedsNoRoute() {
        Consumer<InsideBuilder> inside = i -> i.ssh("127.0.0.1:22");
        assertThat(problems(ProxyServer.builder().listen(0, p -> p.ssh("127.0.0.1:22"))))
                .isEmpty();
        assertThat(problems(ProxyServer.builder().listen(0, p -> p.tls(Sni.any(), inside))))
                .isEmpty();
        assertThat(problems(ProxyServer.builder().listen(0, p -> p.http())))
                .containsExactly("routes: none (expected: forward(\"http://host:port\"), or at least one route)");
    }

    @Test
    void clientCertificatesNeedAnHttpsEndpoint() {
        ClientCertificates required = ClientCertificates.required(TrustStore.pkcs12(Path.of("ca.p12"), "hunter2"));
        assertThat(problems(valid().clientCertificates(required)))
                .containsExactly(
                        "clientCertificates: required(pkcs12(ca.p12)) as Client-Cert (expected: an https(port) that"
                                + " asks for them)");
        assertThat(problems(valid().clientCertificates(required).https(0))).isEmpty();
        assertThat(problems(valid().clientCertificates(ClientCertificates.off().withHeader("X-Id"))))
                .isEmpty();
    }

    @Test
    void certificatesNeedAnHttpsEndpoint() {
        Certificates source = Certificates.pkcs12(Path.of("server.p12"), "hunter2");

        assertThat(problems(valid().certificates(source)))
                .containsExactly("certificates: [pkcs12(server.p12)] (expected: an https(port) that serves them)");
        assertThat(problems(valid().certificates(source).https(0))).isEmpty();
        assertThat(problems(valid().certificates(source).certificates())).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"X-Who", "x_who"})
    void conditionOnAFieldOfUsersThatNoRequestHasIsAProblem(String name) {
        assertThat(problems(valid().route(
                                r -> r.name("a").path("/a").sendUser("x-who").forward("http://127.0.0.1:1"))
                        .route(r -> r.name("b").path("/b").matchHeader(name).forward("http://127.0.0.1:1"))
                        .route(r -> r.name("c").path("/c").matchHeader("X-Whom").forward("http://127.0.0.1:1"))))
                .containsExactly(
                        "route b: matchHeader(\"" + name + "\") can never match, because sendUser removes it from"
                                + " all requests (expected: another field)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"X-Who", "x_who"})
    void sessionsByAFieldOfUsersThatNoRequestHasAreAProblem(String name) {
        UpstreamGroup group = UpstreamGroup.of("http://127.0.0.1:1", "http://127.0.0.1:2");
        assertThat(problems(valid().route(
                                r -> r.name("a").path("/a").sendUser("x-who").forward("http://127.0.0.1:1"))
                        .route(r -> r.name("b").path("/b").forward(group.balancing(Balancing.header(name))))
                        .route(r -> r.name("c").path("/c").forward(group.balancing(Balancing.cookie("X-Who"))))
                        .route(r -> r.name("d").path("/d").forward(group.balancing(Balancing.header("X-Whom"))))))
                .containsExactly("route b: Balancing.header(\"" + name
                        + "\") never finds a session, because sendUser removes it from all requests (expected: another"
                        + " field)");
    }

    @Test
    void secondDefaultRouteIsAProblem() {
        assertThat(problems(valid().forward("http://127.0.0.1:8081")))
                .containsExactly("route: / is given twice (expected: each host and path only once; several upstreams in"
                        + " one forward(a, b), or a group)");
    }

    @Test
    void routeNamedLikeTheDefaultNameOfAnotherIsAProblem() {
        ProxyConfig.Builder builder = valid().route(route -> route.path("/a").forward(UPSTREAM))
                .route(route -> route.name("/a").path("/b").forward(UPSTREAM));

        assertThat(problems(builder)).containsExactly("route.name: /a (expected: each name only once)");
    }

    static Stream<Arguments> badValues() {
        return Stream.of(
                bad(b -> b.http(-1), "port: -1 (expected: 0-65535)"),
                bad(b -> b.https(70000), "port: 70000 (expected: 0-65535)"),
                bad(b -> b.redirectHttp(65536), "port: 65536 (expected: 0-65535)"),
                bad(b -> b.bind(" "), "bind: '' (expected: a local address such as 127.0.0.1)"),
                bad(b -> b.tuning(t -> t.withIoThreads(-1)), "ioThreads: -1 (expected: 0-1024)"),
                bad(b -> b.tuning(t -> t.withIoThreads(1025)), "ioThreads: 1025 (expected: 0-1024)"),
                bad(b -> b.tuning(t -> t.withBufferSize(4095)), "bufferSize: 4095 (expected: 4096-1048576)"),
                bad(b -> b.tuning(t -> t.withBufferSize(1048577)), "bufferSize: 1048577 (expected: 4096-1048576)"),
                bad(b -> b.tuning(t -> t.withBacklog(-1)), "backlog: -1 (expected: 0-65535)"),
                bad(b -> b.tuning(t -> t.withBacklog(65536)), "backlog: 65536 (expected: 0-65535)"),
                bad(b -> b.drainTime(Duration.ofMillis(-1)), "drainTime: PT-0.001S (expected: zero to 365 days)"),
                bad(
                        b -> b.trustedProxies("10.0.0.0/8", "10.0.0.1/8"),
                        "address range: 10.0.0.1/8 (expected: an IP address, or a range such as 10.0.0.0/8"
                                + " with zeros after the prefix)"),
                bad(
                        b -> b.forward("ftp://host"),
                        "forward: ftp://host (expected: http://host:port or https://host:port, h2c:// or https+h2://"
                                + " for HTTP/2 and gRPC, port 1-65535, without user, path and query)"),
                bad(
                        b -> b.forward(),
                        "route /: no upstream (expected: forward(\"http://host:port\") on the route, or answer(…), or"
                                + " redirectTo(…))"),
                bad(
                        b -> b.route(route -> route.name("chat")),
                        "route chat: no upstream (expected: forward(\"http://host:port\") on the route, or answer(…),"
                                + " or redirectTo(…))"),
                bad(b -> b.route(route -> route.name(" ")), "route.name: '' (expected: a name, or none)"),
                bad(b -> b.removeRoute("nobody"), "removeRoute: nobody (expected: the name of a route)"),
                bad(
                        b -> b.basicAuth("us:er", "secret"),
                        "user: us:er (expected: at least one character, no colon, no control characters)"),
                bad(
                        b -> b.basicAuth("user", "sec\nret"),
                        "password: *** (expected: at least one character, no control characters)"));
    }

    private static Arguments bad(Consumer<ProxyConfig.Builder> set, String message) {
        return arguments(set, message);
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("badValues")
    void singleBadValueThrowsInItsSetter(Consumer<ProxyConfig.Builder> set, String message) {
        ProxyConfig.Builder builder = ProxyServer.builder();

        assertThatIllegalArgumentException()
                .isThrownBy(() -> set.accept(builder))
                .withMessage(message);
    }

    @Test
    void limitsOfTheRangesAreAllowed() {
        ProxyConfig config = valid().http(65535)
                .tuning(t -> t.withIoThreads(1024).withBufferSize(4096).withBacklog(65535))
                .drainTime(Duration.ZERO)
                .build();

        assertThat(config.listens().get(1).port()).isEqualTo(65535);
        assertThat(config.drainTime()).isZero();
        assertThat(valid().tuning(t -> t.withBufferSize(1 << 20).withBacklog(1))
                        .build()
                        .tuning()
                        .bufferSize())
                .isEqualTo(1 << 20);
    }

    @SuppressWarnings("NullAway")
    static Stream<Arguments> nulls() {
        return Stream.of(
                bad(b -> b.bind(null), "address"),
                bad(b -> b.clientCertificates(null), "clientCertificates"),
                bad(b -> b.certificates((Certificates[]) null), "sources"),
                bad(b -> b.certificates((Certificates) null), "source"),
                bad(b -> b.forward((String[]) null), "uris"),
                bad(b -> b.forward((String) null), "uri"),
                bad(b -> b.route((Consumer<Route.Builder>) null), "route"),
                bad(b -> b.route((Route) null), "route"),
                bad(b -> b.routes(null), "routes"),
                bad(b -> b.removeCanonicalHost(null), "alias"),
                bad(b -> b.removeObserver(null), "observer"),
                bad(b -> b.route(route -> route.name(null)), "name"),
                bad(b -> b.route(route -> route.host(null)), "host"),
                bad(b -> b.route(route -> route.path(null)), "path"),
                bad(b -> b.route(route -> route.timeouts(null)), "timeouts"),
                bad(b -> b.removeRoute(null), "name"),
                bad(b -> b.authenticator(null), "authenticator"),
                bad(b -> b.timeouts(null), "timeouts"),
                bad(b -> b.trustedProxies((String[]) null), "ranges"),
                bad(b -> b.trustedProxies((String) null), "cidr"),
                bad(b -> b.observer(null), "observer"),
                bad(b -> b.route(route -> route.sseHeartbeat(null)), "sseHeartbeat"),
                bad(b -> b.route(route -> route.webSocketPings(null)), "webSocketPings"),
                bad(b -> b.tuning((Tuning) null), "tuning"),
                bad(b -> b.tuning((UnaryOperator<Tuning>) null), "change"),
                bad(b -> b.tuning(t -> null), "tuning"),
                bad(b -> b.tuning(t -> t.withHttp(null)), "http"),
                bad(b -> b.tuning(t -> t.withHttp2(null)), "http2"),
                bad(b -> b.tuning(t -> t.withPool(null)), "pool"),
                bad(b -> b.drainTime(null), "drainTime"));
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("nulls")
    void nullIsNamed(Consumer<ProxyConfig.Builder> set, String name) {
        ProxyConfig.Builder builder = ProxyServer.builder();

        assertThatNullPointerException().isThrownBy(() -> set.accept(builder)).withMessage(name);
    }

    /** A variable that isn't set must not open the service. */
    @ParameterizedTest
    @CsvSource(
            nullValues = "null",
            value = {
                "null, null, user: null",
                "'', '', user: ''",
                "'', secret, user: ''",
                "null, secret, user: null",
                "user, '', password: ''",
                "user, null, password: null"
            })
    void missingCredentialsNeverTurnAuthenticationOff(String user, String password, String problem) {
        ProxyConfig.Builder builder = valid().basicAuth("user", "secret");
        String message =
                problem + " (expected: a user and a password; withoutAuthentication() turns authentication off)";

        for (ThrowingCallable set : List.<ThrowingCallable>of(
                () -> builder.basicAuth(user, password),
                () -> builder.route(route -> route.basicAuth(user, password)))) {
            assertThatException()
                    .isThrownBy(set)
                    .isInstanceOf(
                            problem.endsWith("null") ? NullPointerException.class : IllegalArgumentException.class)
                    .withMessage(message);
        }
        assertThat(builder.build().authenticator()).isPresent();
    }

    @Test
    void authenticationIsTurnedOffByName() {
        assertThat(valid().basicAuth("user", "secret")
                        .withoutAuthentication()
                        .build()
                        .authenticator())
                .isEmpty();
    }

    @Test
    void secretsNeverShowInToString() {
        ProxyConfig config = valid().https(8443)
                .basicAuth("operator", "hunter2")
                .certificates(
                        Certificates.pem(Path.of("server.crt"), Path.of("server.key"), "pem-pass"),
                        Certificates.pkcs12(Path.of("server.p12"), "p12-pass"))
                .clientCertificates(ClientCertificates.optional(TrustStore.pkcs12(Path.of("trust.p12"), "trust-pass")))
                .build();

        assertThat(config)
                .asString()
                .contains("https", "8443", "server.crt", "server.p12", UPSTREAM)
                .doesNotContain("operator", "hunter2", "pem-pass", "p12-pass", "trust-pass");
    }

    @Test
    void badUpstreamDoesNotShowItsPassword() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> valid().forward("http://operator:hunter2@host:80"))
                .withMessageStartingWith("forward: …@host:80 (expected: ")
                .withMessageNotContaining("operator")
                .withMessageNotContaining("hunter2");
    }

    @Test
    void builtConfigurationIsImmutable() {
        ProxyObserver observer = new ProxyObserver() {};
        Certificates source = Certificates.selfSigned("localhost");
        ProxyConfig.Builder builder = valid().https(0)
                .certificates(source)
                .trustedProxies("10.0.0.0/8")
                .observer(observer);
        ProxyConfig config = builder.build();

        builder.http(8080)
                .bind("127.0.0.1")
                .route(route -> route.path("/a").forward(UPSTREAM))
                .certificates()
                .trustedProxies()
                .observer(new ProxyObserver() {})
                .accessLog(true)
                .tuning(t -> t.withIoThreads(7))
                .basicAuth("user", "secret");

        assertThat(config.listens()).hasSize(2);
        assertThat(config.bind()).isEmpty();
        assertThat(config.routes()).hasSize(1);
        assertThat(config.certificates()).containsExactly(source);
        assertThat(config.trustedProxies()).hasSize(1);
        assertThat(config.observers()).containsExactly(observer);
        assertThat(config.accessLog()).isEmpty();
        assertThat(config.tuning()).isEqualTo(Tuning.defaults());
        assertThat(config.authenticator()).isEmpty();
    }

    @Test
    void listsOfABuiltConfigurationCannotBeChanged() {
        ProxyConfig config = valid().build();

        for (List<?> list : List.of(
                config.listens(),
                config.routes(),
                config.certificates(),
                config.trustedProxies(),
                config.observers(),
                config.routes().get(0).upstreams())) {
            assertThat(list).isUnmodifiable();
        }
    }

    @Test
    void routeConsumerThatFailsLeavesTheRoutesAsTheyWere() {
        ProxyConfig.Builder builder = valid();

        assertThatIllegalArgumentException().isThrownBy(() -> builder.route(route -> route.path("no slash")));
        assertThat(builder.build().routes()).hasSize(1);
    }

    @Test
    void updateReplacesTheRouteOfThatNameInItsPlace() {
        ProxyConfig config = valid().route(route -> route.name("a").path("/a").forward(UPSTREAM))
                .route(route -> route.name("b").path("/b").forward(UPSTREAM))
                .build();

        ProxyConfig next = config.toBuilder()
                .route(route -> route.name("a").path("/new").forward(UPSTREAM))
                .build();

        assertThat(next.routes()).extracting(Route::name).containsExactly("/", "a", "b");
        assertThat(next.routes().get(1).path()).hasToString("/new");
        assertThat(config.routes().get(1).path()).hasToString("/a");
    }

    @Test
    void updateThatNamesTheSameRouteTwiceIsAProblem() {
        ProxyConfig config = valid().route(route -> route.name("a").path("/a").forward(UPSTREAM))
                .build();

        assertThat(problems(config.toBuilder()
                        .route(route -> route.name("a").path("/x").forward(UPSTREAM))
                        .route(route -> route.name("a").path("/y").forward(UPSTREAM))))
                .containsExactly("route.name: a (expected: each name only once)");
    }

    @Test
    void updateRemovesARouteAndMayAddItAgain() {
        ProxyConfig config = valid().route(route -> route.name("a").path("/a").forward(UPSTREAM))
                .build();

        assertThat(config.toBuilder().removeRoute("a").build().routes()).hasSize(1);
        assertThat(config.toBuilder()
                        .removeRoute("a")
                        .route(route -> route.name("a").path("/a").forward(UPSTREAM))
                        .build()
                        .routes())
                .hasSize(2);
    }

    @Test
    void updateKeepsWhatItDoesNotName() {
        Authenticator authenticator = request -> {
            throw new AssertionError("not asked");
        };
        TimeoutPolicy timeouts = TimeoutPolicy.defaults().withConnect(Duration.ofSeconds(1));
        ProxyConfig config = valid().https(0)
                .bind("127.0.0.1")
                .certificates(Certificates.selfSigned("localhost"))
                .jdkTls(true)
                .clientCertificates(ClientCertificates.required(TrustStore.pem(Path.of("ca.pem"))))
                .authenticator(authenticator)
                .timeouts(timeouts)
                .trustedProxies("10.0.0.0/8")
                .observer(new ProxyObserver() {})
                .accessLogJson()
                .tuning(t -> t.withHttp(HttpLimits.defaults().withFields(10))
                        .withPool(PoolLimits.defaults().withConnections(1)))
                .drainTime(Duration.ZERO)
                .tuning(t -> t.withIoThreads(3).withBufferSize(8192).withBacklog(5))
                .build();

        assertThat(config.toBuilder().build()).usingRecursiveComparison().isEqualTo(config);
    }

    @Test
    void accessLogIsOffOrCombinedOrOfAFormat() {
        assertThat(valid().accessLog(true).build().accessLog()).contains(AccessLogFormat.COMBINED);
        assertThat(valid().accessLog(false).build().accessLog()).isEmpty();
        ProxyConfig json = valid().accessLogJson().build();
        assertThat(json.accessLog()).contains(AccessLogFormat.JSON);
        assertThat(json.toBuilder().build().accessLog()).contains(AccessLogFormat.JSON);
        assertThat(json.toBuilder().accessLog(false).build().accessLog()).isEmpty();
        assertThat(valid().accessLogJson().accessLog(true).build().accessLog())
                .as("the last call counts")
                .contains(AccessLogFormat.COMBINED);
    }

    @Test
    void noEngineOnTheClassPathIsOneSentenceThatNamesTheArtifact() {
        ProxyConfig.Builder builder = valid();

        assertThatThrownBy(builder::start)
                .isInstanceOf(ProxyStartException.class)
                .hasNoCause()
                .hasMessage("There is no proxy engine on the class path:"
                        + " add the dependency io.webproxy:webproxy-undertow.");
    }

    @Test
    void startReportsProblemsBeforeItLooksForAnEngine() {
        assertThatThrownBy(() -> ProxyServer.builder().start())
                .asInstanceOf(InstanceOfAssertFactories.throwable(ProxyConfigException.class))
                .satisfies(e -> assertThat(e.problems()).hasSize(2));
    }

    @Test
    void usersThatCantBeSentAndFieldsOfCertificatesAreProblems() {
        ProxyConfig.Builder builder = ProxyServer.builder()
                .https(
                        0,
                        endpoint -> endpoint.clientCertificates(
                                ClientCertificates.optional(TrustStore.pem(Path.of("ca.pem")))
                                        .withHeader("X-Id")))
                .basicAuth("two words", "secret")
                .route(r -> r.name("a").path("/a").sendUser("X-Who").forward("http://127.0.0.1:1"))
                .route(r -> r.name("b")
                        .path("/b")
                        .basicAuth("ann", "secret")
                        .sendUser("x-id")
                        .forward("http://127.0.0.1:1"))
                .route(r -> r.name("c").path("/c").forward("http://127.0.0.1:1"));
        assertThatThrownBy(builder::build)
                .isInstanceOf(ProxyConfigException.class)
                .hasMessageContaining(
                        "route a: sendUser(\"X-Who\") with a user of other characters (expected: a user of"
                                + " visible ASCII characters)")
                .hasMessageContaining(
                        "route b: sendUser(\"x-id\") (expected: another field than that of client certificates)")
                .hasMessageNotContaining("route c");
    }
}
