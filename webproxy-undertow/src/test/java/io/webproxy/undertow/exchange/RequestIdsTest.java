package io.webproxy.undertow.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.util.HeaderMap;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RequestIdsTest {
    private static HeaderMap fields(String... ids) {
        HeaderMap fields = new HeaderMap();
        for (String id : ids) {
            fields.add(RequestIds.FIELD, id);
        }
        return fields;
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "1f0c-42", "Root=1-67891233:abc", "YWJj/+==", "~x@y_z.w"})
    void saneNameOfATrustedProxyIsKept(String id) {
        assertThat(RequestIds.of(fields(id), true)).isEqualTo(id);
        assertThat(RequestIds.of(fields("x".repeat(128)), true)).isEqualTo("x".repeat(128));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", ""})
    void clientCannotNameItsRequest(String id) {
        assertThat(RequestIds.of(fields(id), false)).matches("[0-9a-f]{32}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", " ", "a b", "a,b", "a;b", "<script>", "a\"b", "a\\b", "a\tb", "a\u0000", "é", "a'b", "a&b"})
    void nameThatCouldForgeALineOrAPageIsReplaced(String id) {
        assertThat(RequestIds.of(fields(id), true)).matches("[0-9a-f]{32}");
    }

    @Test
    void longOrRepeatedNameIsReplaced() {
        assertThat(RequestIds.of(fields("x".repeat(129)), true)).matches("[0-9a-f]{32}");
        assertThat(RequestIds.of(fields("a", "a"), true)).matches("[0-9a-f]{32}");
    }

    @Test
    void namesDifferOnAllThreads() throws Exception {
        Set<String> seen = ConcurrentHashMap.newKeySet();
        Runnable draw = () -> {
            for (int i = 0; i < 10_000; i++) {
                seen.add(RequestIds.of(fields(), false));
            }
        };
        Thread other = new Thread(draw);
        other.start();
        draw.run();
        other.join();
        assertThat(seen).hasSize(20_000);
        for (int digit = 0; digit < 32; digit++) {
            int at = digit;
            assertThat(seen.stream().map(id -> id.charAt(at)).distinct()).hasSize(16);
        }
    }
}
