package io.webproxy.undertow.message;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CookiesTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "a=1; S=x; b=2|a=1; b=2",
                "S=x; b=2|b=2",
                "a=1; S=x|a=1",
                "a=1;S=x;b=2|a=1;b=2",
                "a=1;   S=x;\tb=2|a=1;\tb=2",
                "S=1; a=1; S=2; S=3|a=1",
                "S=1; S=2; a=1|a=1",
                "a=1; S =x; b=2|a=1; b=2",
                "a=1; S=; b=2|a=1; b=2",
                "a=1; S==x=y; b=2|a=1; b=2",
                "a=1;; S=x|a=1;",
                "a=S=x; b=2|a=S=x; b=2",
                "a=1; s=x|a=1; s=x",
                "SS=x; S2=y; S|SS=x; S2=y; S",
                "; =; ==;|; =; ==;"
            })
    void oneCookieIsTakenOutAndTheOthersStayByteForByte(String field, String left) {
        assertThat(Cookies.without(List.of(field), "S")).containsExactly(left);
    }

    @ParameterizedTest
    @ValueSource(strings = {"S=x", " S=x ", "S=x;", "S=1; S=2", "S=x; "})
    void fieldOfWhichNothingIsLeftIsGone(String field) {
        assertThat(Cookies.without(List.of("a=1", field, "b=2"), "S")).containsExactly("a=1", "b=2");
    }

    @Test
    void valuesOfAllFieldsAreFoundInTheirOrder() {
        assertThat(Cookies.values(List.of("a=1; S=x;S = \"y\" ", "b=2", "S="), "S"))
                .containsExactly("x", "\"y\"", "");
        assertThat(Cookies.values(List.of("", ";", "S", "s=x", "SS=x", "a=S=x"), "S"))
                .isEmpty();
        assertThat(Cookies.values(List.of(), "S")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "S=x; Path=/|true",
                " S = x|true",
                "S=|true",
                "S|false",
                "s=x|false",
                "a=1; S=x|false",
                "SS=x|false",
                "''|false"
            })
    void nameOfACookieThatIsSetIsTheFirst(String field, boolean set) {
        assertThat(Cookies.isSet(field, "S")).isEqualTo(set);
    }

    @Test
    void everyTruncationAndMutationIsReadAndLeavesNothingOfTheCookie() {
        String field = "a=1; S=0123; \"b\"=\"2; S=x\"; S =y;";
        for (int i = 0; i <= field.length(); i++) {
            check(field.substring(0, i));
            for (char c = 0; c < 256 && i < field.length(); c++) {
                check(field.substring(0, i) + c + field.substring(i + 1));
            }
        }
    }

    private static void check(String field) {
        List<String> left = Cookies.without(List.of(field), "S");
        assertThat(Cookies.values(left, "S")).as(field).isEmpty();
        assertThat(Cookies.values(left, "a")).as(field).isEqualTo(Cookies.values(List.of(field), "a"));
    }

    @ParameterizedTest
    @ValueSource(strings = {";", "a;", "=", "S=;", " ", "S"})
    void hostileFieldTakesTimeByItsLengthOnly(String part) {
        String field = part.repeat(1_000_000 / part.length());
        Assertions.assertTimeoutPreemptively(Duration.ofSeconds(20), () -> {
            Cookies.values(List.of(field), "S");
            Cookies.without(List.of(field), "S");
        });
    }
}
