package io.webproxy.undertow.message;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ContentLengthTest {
    @ParameterizedTest
    @CsvSource({"0,0", "007,7", "4096,4096", "999999999999999999,999999999999999999"})
    void digitsAreANumber(String value, long bytes) {
        assertThat(ContentLength.parse(value)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "-1",
                "+1",
                "1 ",
                " 1",
                "1,1",
                "1, 1",
                "0x1",
                "1e3",
                "1.0",
                "a",
                "/",
                ":",
                "\u0661",
                "1\u0000",
                "1000000000000000000",
                "18446744073709551619"
            })
    void anythingElseIsNone(String value) {
        assertThat(ContentLength.parse(value)).isEqualTo(-1);
    }
}
