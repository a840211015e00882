package io.webproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.webproxy.auth.BasicAuth;
import io.webproxy.http.Answer;
import io.webproxy.http.ForwardedHeaders;
import io.webproxy.http.HttpLimits;
import io.webproxy.http.ProxyProtocol;
import io.webproxy.http.StatusPage;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.route.FilterDecision;
import io.webproxy.route.Route;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.tls.TrustStore;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever a builder was given can be taken back, so that an update can lead from any configuration to any other. */
class TotalUpdateTest {
    private static final String UPSTREAM = "http://127.0.0.1:8080";
    private static final UpstreamGroup GROUP = UpstreamGroup.of(UPSTREAM).named("group");
    private static final ProxyObserver OBSERVER = new ProxyObserver() {};

    /** Each method that gives something, and what takes it back: another one, or itself with its default. */
    private static final Set<String> OF_A_SERVER = Set.of(
            "https http redirectHttp listen > removeEndpoint",
            "bind > bindToAll",
            "route forward > removeRoute routes",
            "certificates",
            "certificateReload",
            "jdkTls",
            "clientCertificates",
            "basicAuth authenticator > withoutAuthentication",
            "timeouts",
            "trustedProxies",
            "forwardedHeaders",
            "proxyProtocol",
            "canonicalHost > removeCanonicalHost",
            "hsts > withoutHsts",
            "hstsWithSubDomains > withoutHsts",
            "hstsWithPreload > withoutHsts",
            "errorPages > withoutErrorPages",
            "retries withoutRetries",
            "closeOnShutdown",
            "observer > removeObserver",
            "accessLog accessLogJson",
            "dropUnderscoreHeaders",
            "tuning",
            "drainTime",
            "tunnel > removeTunnel",
            "build start");

    private static final Set<String> OF_A_ROUTE = Set.of(
            "name",
            "host > anyHost",
            "path",
            "matchMethod matchHeader > clearMatches",
            "stripPrefix replacePrefix rewritePath rewriteLocations > clearRewrite",
            "setRequestHeader addRequestHeader removeRequestHeader > clearHeaderEdits",
            "setResponseHeader addResponseHeader removeResponseHeader > clearHeaderEdits",
            "hostHeader hostHeaderOfUpstream > hostHeaderOfClient",
            "allow deny > clearAddresses",
            "basicAuth authenticator withoutAuthentication > withServerAuthentication",
            "allowPreflight > withoutPreflight",
            "sendUser > withoutUser",
            "keepAltSvc > withoutAltSvc",
            "requestBodyBytes > withServerBodyLimit",
            "forward answer redirectTo > clearTarget",
            "filter > withoutFilter",
            "responseFilter > withoutResponseFilter",
            "timeouts > withServerTimeouts",
            "sseHeartbeat",
            "webSocketPings",
            "allowUpgrade > withoutUpgrades",
            "allowHalfClose > withoutHalfClose",
            "allowUnderscores > withoutUnderscores",
            "forwardedHeaders > withServerForwardedHeaders",
            "rateLimit > withoutRateLimit",
            "retryOn retryOnFirstByte retryNonIdempotent retryBodyBytes > withoutRetryOn",
            "build");

    private static Set<String> methods(Class<?> builder) {
        return Stream.of(builder.getMethods())
                .filter(method -> method.getDeclaringClass() == builder)
                .map(Method::getName)
                .collect(Collectors.toSet());
    }

    private static Set<String> words(Set<String> lines) {
        return lines.stream()
                .flatMap(line -> Stream.of(line.replace(" >", "").split(" ")))
                .collect(Collectors.toSet());
    }

    @Test
    void everyMethodThatGivesHasOneThatTakesBack() {
        assertThat(methods(ProxyConfig.Builder.class)).isEqualTo(words(OF_A_SERVER));
        assertThat(methods(Route.Builder.class)).isEqualTo(words(OF_A_ROUTE));
    }

    @Test
    void unknownNameOfAnEndpointIsRefusedWithThoseThereAre() {
        ProxyConfig.Builder builder = plain().https(8443).http(8080, e -> e.name("inside"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.removeEndpoint("http-8080"))
                .withMessage("removeEndpoint: http-8080 (expected: one of [http-0, https-8443, inside])");
    }

    private static ProxyConfig.Builder plain() {
        return ProxyServer.builder().http(0).forward(UPSTREAM);
    }

    @Test
    void everythingOfAServerCanBeTakenBack() {
        ProxyConfig full = plain().bind("127.0.0.1")
                .https(8443, endpoint -> endpoint.name("public"))
                .http(9091, endpoint -> endpoint.name("status").answer(StatusPage.defaults()))
                .redirectHttp(8080)
                .listen(2222, port -> port.ssh("127.0.0.1:22"))
                .route(route -> route.name("a").path("/a").forward(UPSTREAM))
                .certificates(Certificates.selfSigned("localhost"))
                .certificateReload(Duration.ZERO)
                .jdkTls(true)
                .clientCertificates(ClientCertificates.required(TrustStore.pem(Path.of("ca.pem"))))
                .basicAuth("user", "secret")
                .timeouts(TimeoutPolicy.defaults().withConnect(Duration.ofSeconds(1)))
                .trustedProxies("10.0.0.0/8")
                .forwardedHeaders(ForwardedHeaders.none())
                .proxyProtocol(ProxyProtocol.REQUIRED)
                .canonicalHost("example.com", "www.example.com", "example.org")
                .hsts(Duration.ofDays(1))
                .errorPages((status, error, request) -> Optional.empty())
                .withoutRetries()
                .closeOnShutdown(true)
                .observer(OBSERVER)
                .accessLog(true)
                .dropUnderscoreHeaders(true)
                .tuning(t -> t.withHttp(HttpLimits.defaults().withFields(10)).withIoThreads(3))
                .drainTime(Duration.ZERO)
                .tunnel(
                        "public.example:443",
                        tunnel -> tunnel.identity(Path.of("keys"))
                                .server("sha256:" + "0".repeat(64))
                                .announce("a.example", "127.0.0.1:1"))
                .build();

        assertThat(full.toBuilder()
                        .bindToAll()
                        .removeEndpoint("public")
                        .removeEndpoint("status")
                        .removeEndpoint("redirect-8080")
                        .removeEndpoint("rules-2222")
                        .removeRoute("a")
                        .certificates()
                        .certificateReload(Duration.ofSeconds(10))
                        .jdkTls(false)
                        .clientCertificates(ClientCertificates.off())
                        .withoutAuthentication()
                        .timeouts(TimeoutPolicy.defaults())
                        .trustedProxies()
                        .forwardedHeaders(ForwardedHeaders.all())
                        .proxyProtocol(ProxyProtocol.OFF)
                        .removeCanonicalHost("WWW.example.com.")
                        .removeCanonicalHost("example.org")
                        .withoutHsts()
                        .withoutErrorPages()
                        .retries(0.2, 100)
                        .closeOnShutdown(false)
                        .removeObserver(OBSERVER)
                        .accessLog(false)
                        .dropUnderscoreHeaders(false)
                        .tuning(Tuning.defaults())
                        .drainTime(Duration.ofSeconds(30))
                        .removeTunnel(full.tunnels().get(0))
                        .build())
                .usingRecursiveComparison()
                .isEqualTo(plain().build());
    }

    private static Route.Builder full() {
        return Route.builder()
                .name("full")
                .host("a.example")
                .path("/a/")
                .matchMethod("GET", "PUT")
                .matchHeader("X-A")
                .matchHeader("X-B", "1")
                .stripPrefix()
                .rewritePath("a", "b")
                .rewriteLocations()
                .setRequestHeader("X-C", "1")
                .addRequestHeader("X-D", "1")
                .removeRequestHeader("X-E")
                .setResponseHeader("X-F", "1")
                .addResponseHeader("X-G", "1")
                .removeResponseHeader("X-H")
                .hostHeaderOfUpstream()
                .allow("10.0.0.0/8")
                .deny("10.0.0.1")
                .basicAuth("user", "secret")
                .allowPreflight()
                .sendUser("X-Forwarded-User")
                .keepAltSvc()
                .requestBodyBytes(5)
                .filter(request -> FilterDecision.proceed())
                .responseFilter((request, response) -> FilterDecision.proceed())
                .timeouts(TimeoutPolicy.defaults().withConnect(Duration.ofSeconds(1)))
                .sseHeartbeat(Duration.ofSeconds(1))
                .webSocketPings(Duration.ofSeconds(1))
                .allowUpgrade("tcp", "SPDY/3.1")
                .allowHalfClose()
                .allowUnderscores()
                .forwardedHeaders(ForwardedHeaders.xForwarded())
                .rateLimit(1, Duration.ofSeconds(1))
                .retryOn(429, 503)
                .retryOnFirstByte(Duration.ofSeconds(1))
                .retryNonIdempotent()
                .retryBodyBytes(5);
    }

    @ParameterizedTest
    @ValueSource(strings = {"forward", "group", "answer", "status", "redirectTo"})
    void routeIsTheSameByItsBuilder(String target) {
        Route.Builder builder = full();
        Route route = switch (target) {
            case "forward" -> builder.forward(UPSTREAM, "http://127.0.0.1:8081").build();
            case "group" -> builder.forward(GROUP).build();
            case "answer" -> builder.answer(Answer.of(200)).build();
            case "status" -> builder.answer(StatusPage.defaults()).build();
            default -> builder.redirectTo("https://b.example").build();
        };

        assertThat(route.toBuilder().build()).usingRecursiveComparison().isEqualTo(route);
    }

    @Test
    void everythingOfARouteCanBeTakenBack() {
        for (Route route : List.of(
                full().forward("http://127.0.0.1:1").build(),
                full().forward(GROUP).build(),
                full().answer(Answer.of(200)).build(),
                full().answer(StatusPage.defaults().withAllow("10.0.0.0/8")).build(),
                full().redirectTo("https://b.example").build())) {
            assertThat(route.toBuilder()
                            .name("plain")
                            .anyHost()
                            .path("/")
                            .clearMatches()
                            .clearRewrite()
                            .clearHeaderEdits()
                            .hostHeaderOfClient()
                            .clearAddresses()
                            .withServerAuthentication()
                            .withoutPreflight()
                            .withoutUser()
                            .withoutResponseFilter()
                            .withoutAltSvc()
                            .withServerBodyLimit()
                            .withoutFilter()
                            .withServerTimeouts()
                            .sseHeartbeat(Duration.ZERO)
                            .webSocketPings(Duration.ZERO)
                            .withoutUpgrades()
                            .withoutHalfClose()
                            .withoutUnderscores()
                            .withServerForwardedHeaders()
                            .withoutRateLimit()
                            .withoutRetryOn()
                            .clearTarget()
                            .forward(UPSTREAM)
                            .build())
                    .usingRecursiveComparison()
                    .isEqualTo(Route.builder().name("plain").forward(UPSTREAM).build());
        }
    }

    @Test
    void conditionsOnMethodsAndFieldsAreTakenBackWithoutHostAndPath() {
        Route route =
                full().forward(UPSTREAM).build().toBuilder().clearMatches().build();

        assertThat(route.methods()).isEmpty();
        assertThat(route.headers()).isEmpty();
        assertThat(route.host()).hasToString("a.example");
        assertThat(route.path()).hasToString("/a/");
    }

    @Test
    void routeWithoutATargetIsAProblem() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> full().forward(UPSTREAM).build().toBuilder()
                        .clearTarget()
                        .build())
                .withMessageStartingWith("route full: no upstream");
    }

    @Test
    void nameThatWasNotGivenFollowsWhatChanges() {
        Route route = Route.builder().path("/a").forward(UPSTREAM).build();

        assertThat(route.toBuilder().path("/b").build().name()).isEqualTo("/b");
        assertThat(route.toBuilder().name("a").build().toBuilder()
                        .path("/b")
                        .build()
                        .name())
                .isEqualTo("a");
    }

    @Test
    void serversAuthenticationOrNoneOfARouteIsKept() {
        Route open = Route.builder().withoutAuthentication().forward(UPSTREAM).build();
        Route locked = Route.builder()
                .authenticator(BasicAuth.of("user", "secret"))
                .forward(UPSTREAM)
                .build();

        assertThat(open.toBuilder().build().access()).isEqualTo(open.access());
        assertThat(locked.toBuilder().build().access()).isEqualTo(locked.access());
        assertThat(locked.toBuilder().withoutAuthentication().build().access()).isEqualTo(open.access());
    }

    private static Route route(String path) {
        return Route.builder().path(path).forward(UPSTREAM).build();
    }

    @Test
    void routesAreInPlaceOfAll() {
        ProxyConfig config = plain().route(route("/a")).route(route("/b")).build();

        ProxyConfig next = config.toBuilder()
                .routes(List.of(route("/b"), route("/c")))
                .route(route("/d"))
                .build();
        assertThat(next.routes()).extracting(Route::name).containsExactly("/b", "/c", "/d");
        assertThat(config.routes()).extracting(Route::name).containsExactly("/", "/a", "/b");
    }

    @Test
    void routeThatIsMadeReplacesTheOneOfItsNameInItsPlace() {
        ProxyConfig config = plain().route(route("/a")).route(route("/b")).build();
        Route other = Route.builder().name("/a").path("/new").forward(UPSTREAM).build();

        assertThat(config.toBuilder().route(other).build().routes())
                .containsExactly(config.routes().get(0), other, config.routes().get(2));
    }

    @Test
    @SuppressWarnings("NullAway")
    void routesThatCannotBeLeaveTheBuilderAsItWas() {
        ProxyConfig.Builder builder = plain();

        assertThatNullPointerException()
                .isThrownBy(() ->
                        builder.routes(Stream.of(route("/a"), (Route) null).collect(Collectors.toList())))
                .withMessage("route");
        assertThat(builder.build().routes()).extracting(Route::name).containsExactly("/");
    }

    @Test
    void whatIsNotThereCannotBeTakenBack() {
        ProxyConfig.Builder builder = plain().canonicalHost("example.com", "www.example.com");

        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.removeCanonicalHost("example.com"))
                .withMessage("removeCanonicalHost: example.com (expected: an alias of canonicalHost(…))");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.removeObserver(OBSERVER))
                .withMessageStartingWith("removeObserver: ")
                .withMessageEndingWith(" (expected: an observer that was added)");
    }

    @Test
    void emptyRoutesAreAProblemOfTheWhole() {
        assertThat(problems(plain().routes(List.of())))
                .containsExactly("routes: none (expected: forward(\"http://host:port\"), or at least one route)");
    }

    private static List<String> problems(ProxyConfig.Builder builder) {
        try {
            builder.build();
            return List.of();
        } catch (ProxyConfigException e) {
            return e.problems();
        }
    }
}
