package io.webproxy.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
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
                .isThrownBy(() -> new AuthDecision.Denied(401, Map.of(name, List.of(value))))
                .withMessageStartingWith("header");
    }

    @Test
    void fieldsAreCopied() {
        List<String> values = new ArrayList<>(List.of("Basic realm=\"a\""));
        AuthDecision.Denied denied = new AuthDecision.Denied(401, Map.of("WWW-Authenticate", values));
        values.clear();
        assertThat(denied.headers()).isEqualTo(Map.of("WWW-Authenticate", List.of("Basic realm=\"a\"")));
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 401, 403, 418, 429, 503, 599})
    void statusOfAnErrorIsTaken(int status) {
        assertThat(new AuthDecision.Denied(status, Map.of()).status()).isEqualTo(status);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 100, 200, 302, 399, 600})
    void otherStatusIsRefused(int status) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new AuthDecision.Denied(status, Map.of()))
                .withMessage("status: " + status + " (expected: 400-599)");
    }
}
