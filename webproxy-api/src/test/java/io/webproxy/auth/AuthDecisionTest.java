package io.webproxy.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
}
