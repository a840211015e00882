package io.webproxy.undertow.message;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AuthorityTest {
    /** The grammar as an expression, which the scan is compared to. */
    private static final Pattern FORM =
            Pattern.compile("((?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})++|\\[[0-9A-Fa-f:.]+])(:[0-9]{0,5})?");

    /** One of each kind that the grammar tells apart, the limits of its ranges, and what stands beside them. */
    private static final String KINDS = "a0:[]%.@G/9f";

    private static boolean isOfForm(String authority) {
        if (!FORM.matcher(authority).matches()) {
            return false;
        }
        int colon = authority.lastIndexOf(':');
        String port = colon > authority.lastIndexOf(']') ? authority.substring(colon + 1) : "";
        return port.isEmpty() || Integer.parseInt(port) <= 65535;
    }

    private static void agrees(String authority) {
        boolean expected = isOfForm(authority);
        if (Authority.isValid(authority) != expected) {
            assertThat(Authority.isValid(authority)).as(authority).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "localhost",
                "a",
                "Example.COM:8080",
                "127.0.0.1:65535",
                "a:00080",
                "a:",
                "[::1]:443",
                "[::1]",
                "my_host",
                "%41",
                "a%2Fb:1"
            })
    void namesAHost(String authority) {
        assertThat(Authority.isValid(authority)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":80",
                "a:65536",
                "a:000080",
                "a:99999",
                "a:1a",
                "a:80:80",
                "user@host",
                "a/b",
                "a b",
                "a\t",
                "a\r\nX-Real-IP: 1",
                "a%",
                "a%4",
                "a%4g",
                "[]",
                "[::1",
                "::1",
                "[::1]a",
                "[::1%25eth0]",
                "a]",
                "ä",
                "\u0661",
                "a:\u0661",
                "\u0141"
            })
    void namesNoHost(String authority) {
        assertThat(Authority.isValid(authority)).isFalse();
    }

    @Test
    void everyCharacterCountsAsInTheGrammarWhereverItStands() {
        for (int c = 0; c <= Character.MAX_VALUE; c++) {
            for (String around :
                    new String[] {"%s", "a%sb", "a%s", "a:%s", "[%s]", "[:%s", "[::1]%s", "%%4%s", "%%%s1"}) {
                agrees(String.format(around, (char) c));
            }
        }
    }

    @Test
    void everyShortTextCountsAsInTheGrammar() {
        shortTexts("", 5);
    }

    private static void shortTexts(String text, int more) {
        agrees(text);
        if (more > 0) {
            for (char c : KINDS.toCharArray()) {
                shortTexts(text + c, more - 1);
            }
        }
    }

    @Test
    void everyPortCountsAsInTheGrammar() {
        for (int port = 0; port <= 100_100; port++) {
            agrees("a:" + port);
            agrees("[::1]:0" + port);
        }
    }

    @Test
    void longTextsCountAsInTheGrammar() {
        Random random = new Random(7);
        for (int round = 0; round < 50_000; round++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(24); i >= 0; i--) {
                text.append(KINDS.charAt(random.nextInt(KINDS.length())));
            }
            agrees(text.toString());
        }
    }
}
