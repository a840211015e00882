package io.webproxy.undertow.sniff;

import static io.webproxy.testing.ByteInputs.everyTruncation;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.port.PortBuilder;
import io.webproxy.port.Sni;
import io.webproxy.spi.PortRule;
import io.webproxy.undertow.sniff.Decision.Malformed;
import io.webproxy.undertow.sniff.Decision.More;
import io.webproxy.undertow.sniff.Decision.None;
import io.webproxy.undertow.sniff.Decision.Rule;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * ClientHellos of other programs, and every single-byte change of them, beside what Go's crypto/tls reads in them: see
 * the README of the recordings.
 */
class RecordedHelloTest {
    private static final String TARGET = "127.0.0.1:1";
    private static final List<PortRule> RULES = new PortBuilder()
            .tls(Sni.of("www.example.com").alpn("h2"), TARGET)
            .tls(Sni.of("www.example.com"), TARGET)
            .tls(Sni.of("*.example.com"), TARGET)
            .tls(Sni.none(), TARGET)
            .build()
            .rules();
    private static final List<String> WORDS = List.of("alpn", "name", "wildcard", "none");

    private static final String OTHER_HELLO = "-";
    private static final String REFUSED = "!";
    private static final String NO_TLS = "no TLS";
    private static final String INCOMPLETE = "incomplete";

    private static final int RECORD_VERSION = 1;
    private static final int HELLO_VERSION = 9;
    private static final int SESSION_ID_LENGTH = 43;

    private static byte[] resource(String name) throws IOException {
        try (InputStream file = RecordedHelloTest.class.getResourceAsStream("hellos/" + name)) {
            return requireNonNull(file, name).readAllBytes();
        }
    }

    /** What Go makes of each value of each byte. */
    private static String[][] expected(String recorded, int length) throws IOException {
        String[] lines = new String(resource(recorded + ".expected"), StandardCharsets.US_ASCII).split("\n");
        String[][] expected = new String[length][256];
        for (String[] values : expected) {
            Arrays.fill(values, lines[0]);
        }
        for (String line : Arrays.asList(lines).subList(1, lines.length)) {
            String[] words = line.split("[ -]", 4);
            Arrays.fill(
                    expected[Integer.parseInt(words[0])],
                    Integer.parseInt(words[1]),
                    Integer.parseInt(words[2]) + 1,
                    words[3]);
        }
        return expected;
    }

    private static String word(Decision decision) {
        if (decision instanceof Rule taken) {
            return WORDS.get(RULES.indexOf(taken.rule()));
        }
        if (decision instanceof None none) {
            return none.hello() != null ? OTHER_HELLO : NO_TLS;
        }
        return decision instanceof Malformed ? REFUSED : INCOMPLETE;
    }

    /** Decides when the bytes up to a place have come, and when all have. */
    private static String decide(byte[] input, int split) {
        PortDetection detection = new PortDetection(RULES);
        Decision first = detection.decide(ByteBuffer.wrap(input, 0, split));
        Decision whole = detection.decide(ByteBuffer.wrap(input));
        return first == More.MORE || first == whole ? word(whole) : "first " + first + ", then " + whole;
    }

    @ParameterizedTest
    @ValueSource(strings = {"openssl", "openssl-bare", "curl", "jdk17", "jdk25", "go-ech", "chromium"})
    void everyChangeOfAByteHasTheRuleThatGoMeans(String recorded) throws IOException {
        byte[] hello = resource(recorded);
        String[][] expected = expected(recorded, hello.length);
        String own = expected[0][hello[0]];
        assertThat(decide(hello, 0)).isEqualTo(own).isIn(WORDS);
        everyTruncation(hello, cut -> assertThat(decide(cut, 0)).isEqualTo(INCOMPLETE));
        List<String> wrong = new ArrayList<>();
        byte[] changed = hello.clone();
        for (int at = 0; at < hello.length; at++) {
            for (int value = 0; value < 256; value++) {
                changed[at] = (byte) value;
                String answer = decide(changed, at);
                if (!answer.equals(expected[at][value]) && !mayDiffer(at, value, answer, expected[at][value], own)) {
                    wrong.add("byte " + at + " set to " + value + ": " + answer + ", for Go " + expected[at][value]);
                }
            }
            changed[at] = hello[at];
        }
        assertThat(wrong).isEmpty();
    }

    private static boolean mayDiffer(int at, int value, String answer, String expected, String own) {
        if (!expected.equals(REFUSED)) {
            // versions that TLS never had, and a session identifier above 32 bytes (RFC 8446 section 4.1.2), which Go
            // lets pass
            return (answer.equals(NO_TLS) && at == RECORD_VERSION)
                    || (answer.equals(REFUSED) && at == HELLO_VERSION)
                    || (answer.equals(REFUSED) && at == SESSION_ID_LENGTH && value > 32);
        }
        // Go reads more extensions, and waits for the end of the record: what it refuses never comes to the rule of
        // another name or protocol
        return !WORDS.contains(answer)
                || answer.equals(own)
                || answer.equals("none")
                || (answer.equals("name") && own.equals("alpn"));
    }
}
