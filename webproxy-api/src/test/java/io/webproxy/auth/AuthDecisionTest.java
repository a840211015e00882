package io.webproxy.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AuthDecisionTest {
    @ParameterizedTest
    @CsvSource({
        "WWW-Authenticate, 'Basic realm=\"a\r\nSet-Cookie: b\"'",
        "WWW-Authenticate, 'a\0'",
        "'X: y', a",
        "Content-Length, 5",
        "Transfer-Encoding, chunked",
        "Connection, keep-alive",
    })
    void fieldThatCouldSplitOrFrameTheAnswerIsRefused(String name, String value) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> AuthDecision.denied(401).withHeader(name, value))
                .withMessageStartingWith("header");
    }

    @Test
    void fieldsAreAdded() {
        AuthDecision denied = AuthDecision.denied(401)
                .withHeader("WWW-Authenticate", "Basic realm=\"a\"")
                .withHeader("WWW-Authenticate", "Negotiate")
                .withHeader("X-Why", "because");

        assertThat(denied.isGranted()).isFalse();
        assertThat(denied.user()).isEmpty();
        assertThat(denied.status()).contains(401);
        assertThat(denied.headers())
                .isEqualTo(Map.of(
                        "WWW-Authenticate", List.of("Basic realm=\"a\"", "Negotiate"), "X-Why", List.of("because")));
        assertThat(denied)
                .isEqualTo(denied)
                .isNotEqualTo(AuthDecision.denied(401))
                .isNotEqualTo(AuthDecision.granted("a"));
    }

    @Test
    void requestThatMayPassHasNoAnswer() {
        AuthDecision granted = AuthDecision.granted("alice");

        assertThat(granted.isGranted()).isTrue();
        assertThat(granted.user()).contains("alice");
        assertThat(granted.status()).isEmpty();
        assertThat(granted.headers()).isEmpty();
        assertThat(granted)
                .isEqualTo(AuthDecision.granted("alice"))
                .hasSameHashCodeAs(AuthDecision.granted("alice"))
                .isNotEqualTo(AuthDecision.granted("bob"))
                .hasToString("granted(alice)");
        assertThatIllegalStateException()
                .isThrownBy(() -> granted.withHeader("Set-Cookie", "a=b"))
                .withMessage("withHeader: granted(alice) (expected: a change of AuthDecision.denied(…))");
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 401, 403, 418, 429, 503, 599})
    void statusOfAnErrorIsTaken(int status) {
        assertThat(AuthDecision.denied(status).status()).contains(status);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 100, 200, 302, 399, 600})
    void otherStatusIsRefused(int status) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> AuthDecision.denied(status))
                .withMessage("status: " + status + " (expected: 400-599)");
    }

    @Test
    void credentialsAreKeptFromTheUpstreamByName() {
        AuthDecision decision =
                AuthDecision.granted("ann").removeRequestHeader("X-Api-Key").removeRequestHeader("Cookie");
        assertThat(decision.removedRequestHeaders()).containsExactly("X-Api-Key", "Cookie");
        assertThat(decision)
                .isNotEqualTo(AuthDecision.granted("ann"))
                .hasToString("granted(ann, without [X-Api-Key, Cookie])");
        assertThat(AuthDecision.granted("ann").removedRequestHeaders()).isEmpty();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> decision.removeRequestHeader("Transfer-Encoding"))
                .withMessageStartingWith("header: Transfer-Encoding (expected: ");
        assertThatIllegalStateException()
                .isThrownBy(() -> AuthDecision.denied(401).removeRequestHeader("Cookie"))
                .withMessage("removeRequestHeader: denied(401, {}) (expected: a change of AuthDecision.granted(…))");
    }
}
