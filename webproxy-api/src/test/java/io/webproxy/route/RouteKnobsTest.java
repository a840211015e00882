package io.webproxy.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.webproxy.http.Answer;
import io.webproxy.spi.Access;
import io.webproxy.spi.HeaderEdit;
import io.webproxy.spi.HostHeader;
import io.webproxy.spi.Hsts;
import io.webproxy.spi.RetryBudget;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RouteKnobsTest {
    private static final String HEADER =
            " (expected: a field name, none that the proxy itself writes: Host, Content-Length, connection fields,"
                    + " X-Forwarded-*)";

    static Stream<Arguments> badValues() {
        return Stream.of(
                bad(
                        () -> Route.builder().matchMethod("G ET"),
                        "route.matchMethod: G ET (expected: a method, such as GET)"),
                bad(
                        () -> Route.builder().matchHeader("X Y"),
                        "route.matchHeader: X Y (expected: a field name, such as X-Version)"),
                bad(() -> Route.builder().setRequestHeader("host", "a"), "header: host" + HEADER),
                bad(() -> Route.builder().addRequestHeader("X-Forwarded-For", "a"), "header: X-Forwarded-For" + HEADER),
                bad(
                        () -> Route.builder().removeResponseHeader("Transfer-Encoding"),
                        "header: Transfer-Encoding" + HEADER),
                bad(() -> Route.builder().setResponseHeader("X_Real_IP", "a"), "header: X_Real_IP" + HEADER),
                bad(
                        () -> Route.builder().setRequestHeader("x_forwarded_user", "a"),
                        "header: x_forwarded_user" + HEADER),
                bad(() -> Route.builder().removeRequestHeader("Content.Length"), "header: Content.Length" + HEADER),
                bad(() -> Route.builder().setRequestHeader("Gateway-Loop", "a"), "header: Gateway-Loop" + HEADER),
                bad(
                        () -> Route.builder().setResponseHeader("X-Y", "a\r\nSet-Cookie: b"),
                        "header X-Y: its value (expected: no control characters, no white space at its ends)"),
                bad(
                        () -> Route.builder().setRequestHeader("X-Y", "\u20ac"),
                        "header X-Y: its value (expected: no control characters, no white space at its ends)"),
                bad(
                        () -> Route.builder().rewritePath("(", ""),
                        "route.rewritePath: ( (expected: a regular expression; Unclosed group at 1)"),
                bad(
                        () -> Route.builder().replacePrefix("x"),
                        "route.path: x (expected: a path that starts with /, percent-encoded, without //, . and .."
                                + " segments)"),
                bad(() -> Route.builder().requestBodyBytes(-1), "route.requestBodyBytes: -1 (expected: 0 or more)"),
                bad(
                        () -> Route.builder().redirectTo("//evil.example.com"),
                        "route.redirectTo: //evil.example.com (expected: http://host or https://host, with port and"
                                + " path if wanted)"),
                bad(
                        () -> Route.builder().allow("10.0.0.1/8"),
                        "address range: 10.0.0.1/8 (expected: an IP address, or a range such as 10.0.0.0/8 with zeros"
                                + " after the prefix)"),
                bad(() -> HostHeader.fixed("a b"), "hostHeader: a b (expected: host or host:port)"),
                bad(
                        () -> Route.builder()
                                .forward("http://127.0.0.1:1")
                                .redirectTo("https://a")
                                .build(),
                        "route /: upstreams, an answer or a redirect together (expected: forward(\"http://host:port\")"
                                + " on the route, or answer(…), or redirectTo(…))"),
                bad(
                        () -> HealthCheck.path("health"),
                        "healthCheck.path: health (expected: a path that starts with /, percent-encoded)"),
                bad(
                        () -> HealthCheck.path("/").withInterval(Duration.ZERO),
                        "healthCheck.interval: PT0S (expected: 100 ms to 24 h)"),
                bad(
                        () -> HealthCheck.path("/").withTimeout(Duration.ofHours(2)),
                        "healthCheck.timeout: PT2H (expected: 10 ms to 1 h)"),
                bad(
                        () -> HealthCheck.path("/").withStatus(300, 200),
                        "healthCheck.mostStatus: 200 (expected: 300-599)"),
                bad(() -> HealthCheck.path("/").withThresholds(0, 1), "healthCheck.failures: 0 (expected: 1-1000)"),
                bad(
                        () -> HealthCheck.grpc("x".repeat(1001)),
                        "healthCheck.grpcService: 1001 characters (expected: at most 1000)"),
                bad(
                        () -> UpstreamGroup.of("h2c://a:1", "https://b").healthCheck(HealthCheck.grpc()),
                        "healthCheck: gRPC to https://b:443 (expected: an upstream that speaks HTTP/2,"
                                + " https+h2://b:443)"),
                bad(
                        () -> UpstreamGroup.of(new String[0]),
                        "upstreamGroup: no upstream (expected: UpstreamGroup.of(\"http://host:port\", …))"),
                bad(
                        () -> Balancing.header("a b"),
                        "balancing.header: a b (expected: the name of a field, such as Mcp-Session-Id)"),
                bad(
                        () -> Balancing.header(""),
                        "balancing.header:  (expected: the name of a field, such as Mcp-Session-Id)"),
                bad(
                        () -> Balancing.cookie("a=b"),
                        "balancing.cookie: a=b (expected: the name of a cookie, such as SERVER)"),
                bad(
                        () -> Balancing.cookie("a;b"),
                        "balancing.cookie: a;b (expected: the name of a cookie, such as SERVER)"),
                bad(
                        () -> UpstreamGroup.of("http://a").named(" "),
                        "upstreamGroup.name: '' (expected: a name, or none)"),
                bad(
                        () -> Route.builder()
                                .name("chat")
                                .forward("http://a")
                                .forward(UpstreamGroup.of("http://b").named("llm"))
                                .build(),
                        "route chat: upstreams of its own and the upstream group llm[http://b:80] (expected: one of"
                                + " them; all upstreams of a group stand in UpstreamGroup.of(…))"),
                bad(
                        () -> OutlierEjection.defaults().withFailureShare(Double.NaN),
                        "outlierEjection.failureShare: NaN (expected: 0 to 1)"),
                bad(
                        () -> OutlierEjection.defaults().withFailureShare(1.01),
                        "outlierEjection.failureShare: 1.01 (expected: 0 to 1)"),
                bad(
                        () -> OutlierEjection.defaults().withConnectFailures(-1),
                        "outlierEjection.connectFailures: -1 (expected: 0-1000)"),
                bad(
                        () -> OutlierEjection.defaults().withLeastRequests(0),
                        "outlierEjection.leastRequests: 0 (expected: 1-1000000)"),
                bad(
                        () -> OutlierEjection.defaults().withWindow(Duration.ofMillis(99)),
                        "outlierEjection.window: PT0.099S (expected: 100 ms to 1 h)"),
                bad(
                        () -> OutlierEjection.defaults().withTime(Duration.ofHours(2)),
                        "outlierEjection.time: PT2H (expected: 1 ms to 1 h)"),
                bad(() -> RetryBudget.none().withShare(1.5), "retries.share: 1.5 (expected: 0 to 1)"),
                bad(() -> RetryBudget.none().withReserve(-1), "retries.reserve: -1 (expected: 0-100000)"),
                bad(() -> Hsts.of(Duration.ofDays(-1)), "hsts.maxAge: PT-24H (expected: zero to ten years)"),
                bad(
                        () -> Hsts.of(Duration.ofDays(1)).withSubDomains().withPreload(),
                        "hsts.preload: true (expected: includeSubDomains and a maxAge of at least 365 days with it)"),
                bad(() -> Answer.of(100), "status: 100 (expected: 200-599)"),
                bad(() -> Answer.text(204, "x"), "body: 1 bytes (expected: none with status 204)"),
                bad(() -> Answer.redirect(200, "/"), "status: 200 (expected: 301, 302, 303, 307 or 308)"),
                bad(
                        () -> FilterDecision.proceed().withPath("/a?b"),
                        "path: /a?b (expected: a path that starts with /, percent-encoded, without a query)"),
                bad(
                        () -> FilterDecision.proceed().withPath("/a b"),
                        "path: /a b (expected: a path that starts with /, percent-encoded, without a query)"));
    }

    private static Arguments bad(ThrowingCallable call, String message) {
        return arguments(call, message);
    }

    @Test
    void grpcCheckKeepsItsServiceWhateverElseChanges() {
        HealthCheck check = HealthCheck.grpc("a.B")
                .withInterval(Duration.ofSeconds(1))
                .withTimeout(Duration.ofSeconds(2))
                .withStatus(200, 299)
                .withThresholds(4, 5);

        assertThat(check)
                .hasToString("HealthCheck[path=/grpc.health.v1.Health/Check, interval=PT1S, timeout=PT2S,"
                        + " status=200-299, failures=4, successes=5, grpcService='a.B']");
        assertThat(HealthCheck.grpc()).isEqualTo(HealthCheck.grpc(""));
        assertThat(HealthCheck.path("/").grpcService()).isEmpty();
    }

    @Test
    void optionsAreEqualByValue() {
        assertThat(RetryBudget.defaults().withShare(0.5).withReserve(3))
                .isEqualTo(RetryBudget.none().withReserve(3).withShare(0.5))
                .hasSameHashCodeAs(RetryBudget.none().withReserve(3).withShare(0.5))
                .hasToString("RetryBudget[share=0.5, reserve=3]")
                .isNotEqualTo(RetryBudget.none().withReserve(3))
                .isNotEqualTo(RetryBudget.none().withShare(0.5));
        assertThat(HealthCheck.path("/a").withThresholds(1, 2))
                .isEqualTo(HealthCheck.path("/a").withThresholds(1, 2))
                .hasSameHashCodeAs(HealthCheck.path("/a").withThresholds(1, 2))
                .isNotEqualTo(HealthCheck.path("/a").withThresholds(1, 3))
                .isNotEqualTo(HealthCheck.path("/b").withThresholds(1, 2))
                .isNotEqualTo(HealthCheck.grpc());
        assertThat(HealthCheck.grpc("a")).isNotEqualTo(HealthCheck.grpc("b"));
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("badValues")
    void badValueIsRefusedWithTheFix(ThrowingCallable call, String message) {
        assertThatIllegalArgumentException().isThrownBy(call).withMessage(message);
    }

    @ParameterizedTest
    @CsvSource({
        "10.1.2.3, true",
        "10.9.9.9, false",
        "192.0.2.1, false",
        "::ffff:10.1.2.3, true",
        "::ffff:10.9.9.9, false",
        "fe80::1, true",
        "fe80::2, false"
    })
    void denyWinsOverAllowAndMappedAddressesCountAsTheirOwn(String client, boolean permitted) throws Exception {
        Access access = Route.builder()
                .allow("10.0.0.0/8", "fe80::/64")
                .deny("10.9.0.0/16", "fe80::2")
                .answer(Answer.of(204))
                .build()
                .access();

        assertThat(access.permits(InetAddress.getByName(client))).isEqualTo(permitted);
    }

    @Test
    void zoneOfAnAddressIsOfNoAccount() throws Exception {
        Access access = Route.builder()
                .allow("fe80::/64")
                .answer(Answer.of(204))
                .build()
                .access();

        assertThat(access.permits(java.net.Inet6Address.getByAddress(
                        null, InetAddress.getByName("fe80::1").getAddress(), 1)))
                .isTrue();
    }

    @Test
    void prefixIsReplacedWithoutItsLastSlash() {
        assertThat(Route.builder()
                        .path("/a/")
                        .stripPrefix()
                        .answer(Answer.of(204))
                        .build()
                        .rewrite()
                        .prefix())
                .contains("");
        assertThat(Route.builder()
                        .path("/a/")
                        .replacePrefix("/b/")
                        .answer(Answer.of(204))
                        .build()
                        .rewrite()
                        .prefix())
                .contains("/b");
    }

    @Test
    void answerKeepsWhatItWasGiven() {
        byte[] body = {1, 2};
        Answer answer = Answer.of(503, "image/png", body)
                .withHeader("Retry-After", "5")
                .withHeader("X-A", "1")
                .withHeader("X-A", "2");
        body[0] = 9;

        assertThat(answer.body()).containsExactly(1, 2);
        assertThat(answer.headers())
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        "Content-Type", List.of("image/png"), "Retry-After", List.of("5"), "X-A", List.of("1", "2")));
        assertThat(Hsts.of(Duration.ofDays(365)).withSubDomains().withPreload().value())
                .isEqualTo("max-age=31536000; includeSubDomains; preload");
    }

    @Test
    void decisionCollectsWhatIsChanged() {
        Upstream other = Upstream.of("http://127.0.0.1:9");
        FilterDecision decision = FilterDecision.proceed()
                .withPath("/x")
                .setHeader("X-A", "1")
                .removeHeader("Cookie")
                .withUpstream(other)
                .addTag("tenant", "t");

        assertThat(decision.path()).contains("/x");
        assertThat(decision.headers())
                .containsExactly(
                        new HeaderEdit(HeaderEdit.Kind.SET, "X-A", "1"),
                        new HeaderEdit(HeaderEdit.Kind.REMOVE, "Cookie", ""));
        assertThat(decision.upstream()).contains(other);
        assertThat(decision.tags()).isEqualTo(Map.of("tenant", "t"));
        assertThat(FilterDecision.proceed()).isEqualTo(FilterDecision.proceed());
        assertThat(decision.answer()).isEmpty();
        assertThat(decision.later()).isEmpty();
        assertThat(decision)
                .isNotEqualTo(FilterDecision.proceed())
                .hasToString("proceed(path=Optional[/x], headers=[X-A, Cookie], upstream=Optional[http://127.0.0.1:9],"
                        + " tags={tenant=t})");
    }

    @Test
    void decisionThatAnswersHasTagsAndNoChanges() {
        Answer answer = Answer.text(402, "Pay first.");
        FilterDecision decision = FilterDecision.answer(answer).addTag("paid", "no");

        assertThat(decision.answer()).contains(answer);
        assertThat(decision.tags()).isEqualTo(Map.of("paid", "no"));
        for (UnaryOperator<FilterDecision> change : changes()) {
            assertThatIllegalStateException()
                    .isThrownBy(() -> change.apply(decision))
                    .withMessageMatching(
                            "\\w+: answer\\(.*\\) \\(expected: FilterDecision.proceed\\(\\), the only decision that"
                                    + " can be changed\\)");
        }
    }

    @Test
    void decisionThatComesLaterHasNeither() {
        CompletableFuture<Answer> asked = new CompletableFuture<>();
        FilterDecision decision = FilterDecision.later(asked.thenApply(FilterDecision::answer));

        assertThat(decision.later()).isPresent();
        assertThat(decision.answer()).isEmpty();
        for (UnaryOperator<FilterDecision> change : changes()) {
            assertThatIllegalStateException()
                    .isThrownBy(() -> change.apply(decision))
                    .withMessageMatching(
                            "\\w+: later \\(expected: FilterDecision.proceed\\(\\), the only decision that can be"
                                    + " changed\\)");
        }
        assertThatIllegalStateException()
                .isThrownBy(() -> decision.addTag("a", "b"))
                .withMessage("addTag: later (expected: addTag of the decision that the stage completes with)");
    }

    private static List<UnaryOperator<FilterDecision>> changes() {
        return List.of(
                decision -> decision.withPath("/x"),
                decision -> decision.setHeader("X-A", "1"),
                decision -> decision.removeHeader("X-A"),
                decision -> decision.withUpstream(Upstream.of("http://127.0.0.1:9")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "X-Forwarded-User",
                "x-forwarded-preferred-username",
                "Remote-User",
                "X-Remote-User",
                "X-WEBAUTH-USER",
                "X-Auth-Request-Email"
            })
    void fieldForTheUserIsAName(String field) {
        Route route =
                Route.builder().sendUser(field).forward("http://127.0.0.1:8080").build();
        assertThat(route.userField()).contains(field);
        assertThat(route.toBuilder().build().userField()).contains(field);
        assertThat(route.toBuilder().withoutUser().build().userField()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Host",
                "content-length",
                "Content-Type",
                "Transfer-Encoding",
                "Connection",
                "Keep-Alive",
                "Proxy-User",
                "TE",
                "Trailer",
                "Upgrade",
                "Cookie",
                "Authorization",
                "Forwarded",
                "X-Forwarded-For",
                "X-Forwarded-Proto",
                "X-Forwarded-Client-Cert",
                "X-Forwarded-Users",
                "X-Real-IP",
                "X--Real--IP",
                "X-Request-Id",
                "Gateway-Loop",
                "Client-Cert",
                "Client-Cert-Chain",
                "X-Original-URL",
                "Sec-WebSocket-Key",
                "Remote_User",
                "User Name",
                "User\r\nX: y",
                "",
                "\u00fcser"
            })
    void fieldForTheUserHasNoOtherMeaning(String field) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Route.builder().sendUser(field))
                .withMessage("route.sendUser: " + field.replaceAll("[^!-~]", "?")
                        + " (expected: letters, digits and hyphens, and no name with a meaning of its own; such as"
                        + " X-Forwarded-User or Remote-User)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"X-Who", "x_who", "X.WHO"})
    void routeThatSendsUsersCantEditTheirField(String edited) {
        Route.Builder route = Route.builder()
                .name("a")
                .sendUser("X-Who")
                .setRequestHeader(edited, "root")
                .forward("http://127.0.0.1:8080");
        assertThatIllegalArgumentException()
                .isThrownBy(route::build)
                .withMessage("route a: sendUser(\"X-Who\") and an edit of that field (expected: one of them)");
        assertThat(route.withoutUser().build().userField()).isEmpty();
    }
}
