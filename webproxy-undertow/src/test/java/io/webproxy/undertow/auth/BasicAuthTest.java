package io.webproxy.undertow.auth;

import static io.webproxy.undertow.auth.FakeRequest.basic;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.BasicAuth;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BasicAuthTest {
    private static final String RIGHT = basic("user:secret");
    private static final String WRONG = basic("user:guess");

    private final FakeServer server = new FakeServer();
    private final BasicAuth auth = started(BasicAuth.of("user", "secret"));

    private BasicAuth started(BasicAuth made) {
        made.start(server.executor);
        return made;
    }

    private static AuthDecision decide(BasicAuth auth, FakeRequest request) {
        return auth.authenticate(request).toCompletableFuture().getNow(null);
    }

    private AuthDecision decide(String... authorization) {
        return decide(auth, FakeRequest.of(authorization));
    }

    private static int status(AuthDecision decision) {
        return decision.status().orElse(200);
    }

    @Test
    void rightPairPassesAtOnce() {
        assertThat(decide(RIGHT)).isEqualTo(AuthDecision.granted("user"));
        assertThat(server.executor.waiting()).isZero();
    }

    @Test
    void nothingGivenIsChallenged() {
        assertThat(decide())
                .isEqualTo(AuthDecision.denied(401)
                        .withHeader("WWW-Authenticate", "Basic realm=\"Restricted\", charset=\"UTF-8\""));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "user:guess",
                "user:",
                "user:secret ",
                "user:secre",
                "User:secret",
                ":secret",
                ":",
                "user:secret:",
                "user:SECRET"
            })
    void wrongPairIsChallenged(String pair) {
        assertThat(status(decide(basic(pair)))).isEqualTo(401);
    }

    @Test
    void passwordMayHaveColonsAndOtherScripts() {
        BasicAuth other = started(BasicAuth.of("ü", "pä:ss:日本"));
        assertThat(decide(other, FakeRequest.of(basic("ü:pä:ss:日本")))).isEqualTo(AuthDecision.granted("ü"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"basic dXNlcjpzZWNyZXQ=", "BASIC   dXNlcjpzZWNyZXQ=", " Basic dXNlcjpzZWNyZXQ= "})
    void schemeIsCaseInsensitiveAndSpacesMayBeMore(String field) {
        assertThat(status(decide(field))).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "Basic",
                "Basic ",
                "Bearer dXNlcjpzZWNyZXQ=",
                "Basicx dXNlcjpzZWNyZXQ=",
                "Basic\tdXNlcjpzZWNyZXQ=",
                "Basic dXNlcjpzZWNyZXQ",
                "Basic dXNlcjpzZWNyZXQ==",
                "Basic dXNlcjpzZWNyZXQ= x",
                "Basic dXNlcjpzZWNyZXQ=, Basic dXNlcjpzZWNyZXQ=",
                "Basic dXNlcnNlY3JldA==",
                "Basic dXNlcjpz\u00ffWNyZXQ=",
                "Basic =",
                "Basic ===="
            })
    void malformedFieldIsChallengedAndCostsNoToken(String field) {
        for (int i = 0; i < 50; i++) {
            assertThat(status(decide(field))).isEqualTo(401);
        }
    }

    @Test
    void invalidUtf8AndControlCharactersAreRefused() {
        assertThat(status(decide("Basic dXNlcjr//g=="))).isEqualTo(401);
        assertThat(Credentials.parse(List.of("Basic dXNlcjr//g=="))).isNull();
        assertThat(Credentials.parse(List.of(basic("user:secret\0x")))).isNull();
        assertThat(Credentials.parse(List.of(basic("us\ner:secret")))).isNull();
    }

    @Test
    void severalFieldsAreRefusedThoughEachIsRight() {
        assertThat(status(decide(RIGHT, RIGHT))).isEqualTo(401);
    }

    @Test
    void guesserIsThrottledAndMayTryAgainEachSecond() {
        for (int i = 0; i < 10; i++) {
            assertThat(status(decide(WRONG))).isEqualTo(401);
        }
        assertThat(decide(WRONG)).isEqualTo(AuthDecision.denied(429).withHeader("Retry-After", "1"));
        // no way to find out that a guess was right
        assertThat(status(decide(RIGHT))).isEqualTo(429);
        server.pass(Duration.ofSeconds(1));
        assertThat(status(decide(WRONG))).isEqualTo(401);
        assertThat(status(decide(WRONG))).isEqualTo(429);
        server.pass(Duration.ofSeconds(1));
        assertThat(status(decide(RIGHT))).isEqualTo(200);
    }

    @Test
    void thosePassedBeforeAreNotThrottledByOthersAtTheirAddress() {
        assertThat(status(decide(RIGHT))).isEqualTo(200);
        for (int i = 0; i < 30; i++) {
            decide(WRONG);
        }
        assertThat(status(decide(WRONG))).isEqualTo(429);
        assertThat(status(decide(RIGHT))).isEqualTo(200);
    }

    @Test
    void rightOnesCostNoToken() {
        for (int i = 0; i < 100; i++) {
            assertThat(status(decide(RIGHT))).isEqualTo(200);
        }
        assertThat(status(decide(WRONG))).isEqualTo(401);
    }

    @Test
    void otherAddressesAreNotThrottled() {
        for (int i = 0; i < 30; i++) {
            decide(WRONG);
        }
        assertThat(status(decide(auth, FakeRequest.from("192.0.2.2", WRONG)))).isEqualTo(401);
    }

    @Test
    void guesserCannotHopWithinAnIpv6Network() {
        for (int i = 0; i < 10; i++) {
            assertThat(status(decide(auth, FakeRequest.from("2001:db8::" + i, WRONG))))
                    .isEqualTo(401);
        }
        assertThat(status(decide(auth, FakeRequest.from("2001:db8::ffff:1", WRONG))))
                .isEqualTo(429);
        assertThat(status(decide(auth, FakeRequest.from("2001:db8:0:1::1", WRONG))))
                .isEqualTo(401);
    }

    @Test
    void realmIsQuoted() {
        BasicAuth other = started(BasicAuth.of("user", "secret").realm("a \"b\" \\c"));
        AuthDecision denied = decide(other, FakeRequest.of());
        assertThat(denied.headers())
                .containsEntry("WWW-Authenticate", List.of("Basic realm=\"a \\\"b\\\" \\\\c\", charset=\"UTF-8\""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a\r\nX-Evil: 1", "ü"})
    void realmThatAFieldCannotCarryIsRefused(String realm) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BasicAuth.of("user", "secret").realm(realm))
                .withMessageMatching("realm: [ -~]* \\(expected: printable ASCII characters\\)");
    }

    @Test
    void credentialsAreForwardedOnlyIfAsked() {
        assertThat(auth.forwardsCredentials()).isFalse();
        BasicAuth forwarding = started(auth.forwardingCredentials().realm("x"));
        assertThat(forwarding.forwardsCredentials()).isTrue();
        assertThat(status(decide(forwarding, FakeRequest.of(RIGHT)))).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource({"'',x,user", "a:b,x,user", "user,'',password", "'a\nb',x,user", "user,'a\0b',password"})
    void badPairIsRefused(String user, String password, String named) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BasicAuth.of(user, password))
                .withMessageStartingWith(named + ": ")
                .withMessageNotContaining("\n")
                .withMessageContaining("(expected: ");
    }

    @Test
    void nullsAreNamed() {
        assertThatNullPointerException()
                .isThrownBy(() -> BasicAuth.of(null, "x"))
                .withMessageStartingWith("user: null (expected: ");
        assertThatNullPointerException()
                .isThrownBy(() -> BasicAuth.of("x", null))
                .withMessageStartingWith("password: null (expected: ");
        assertThatNullPointerException()
                .isThrownBy(() -> BasicAuth.htpasswd(null))
                .withMessage("file");
    }

    @Test
    void nothingSecretShows() {
        assertThat(auth.toString()).doesNotContain("secret").contains("realm=Restricted");
        assertThat(Credentials.parse(List.of(RIGHT)).toString()).doesNotContain("secret", "dXN");
    }

    @Test
    void unstartedOneSaysSo() {
        BasicAuth unstarted = BasicAuth.of("user", "secret");
        assertThatIllegalStateException().isThrownBy(() -> decide(unstarted, FakeRequest.of(RIGHT)));
    }

    @Test
    void servesTwoServersAndGoesOnWhenOneStops() {
        FakeServer second = new FakeServer();
        auth.start(second.executor);
        auth.stop();
        assertThat(status(decide(RIGHT))).isEqualTo(200);
        assertThat(status(decide(WRONG))).isEqualTo(401);
    }
}
