package io.webproxy.undertow.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import io.webproxy.http.ForwardedHeaders;
import io.webproxy.spi.AddressRange;
import io.webproxy.spi.IpLiteral;
import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code X-Forwarded-*} and {@code Forwarded} tell the upstream the same, whatever of them a trusted proxy has sent.
 */
class ForwardedStoryTest {
    private static final Trust TRUST = new Trust(List.of(AddressRange.of("10.0.0.0/8")));
    private static final String PEER = "10.0.0.1";
    private static final List<String> CONSISTENT = List.of(
            "X-Forwarded-For: 192.0.2.7, 10.1.1.1",
            "X-Forwarded-Proto: https",
            "X-Forwarded-Host: outer.example",
            "X-Forwarded-Port: 8443",
            "Forwarded: for=192.0.2.7;proto=https;host=\"outer.example:8443\", for=10.1.1.1;by=10.0.0.1");

    private static ForwardedStory read(String... lines) {
        HeaderMap in = new HeaderMap();
        for (String line : lines) {
            int colon = line.indexOf(": ");
            in.add(new HttpString(line.substring(0, colon)), line.substring(colon + 2));
        }
        InetAddress peer = Objects.requireNonNull(IpLiteral.parse(PEER));
        return TRUST.read(new ForwardedStory.Hop(peer, "http", "inner.example:8080"), in);
    }

    /** What the upstream sees, by name. */
    private static Map<String, String> told(ForwardedStory story) {
        HeadLines out = new HeadLines();
        story.write(out, ForwardedHeaders.all(), PEER, IpLiteral.text(story.client()));
        Map<String, String> fields = new LinkedHashMap<>();
        out.lines().forEach(line -> {
            int colon = line.indexOf(": ");
            if (colon > 0) {
                fields.put(line.substring(0, colon), line.substring(colon + 2));
            }
        });
        return fields;
    }

    private static Map<String, String> told(String... lines) {
        return told(read(lines));
    }

    @Test
    void bothFamiliesSayTheSameForEverySubsetOfFields() {
        for (int subset = 0; subset < 1 << CONSISTENT.size(); subset++) {
            int chosen = subset;
            String[] lines = CONSISTENT.stream()
                    .filter(line -> (chosen >> CONSISTENT.indexOf(line) & 1) == 1)
                    .toArray(String[]::new);
            boolean nodes = (chosen & 0b10001) != 0;
            boolean proto = (chosen & 0b10010) != 0;
            boolean host = (chosen & 0b10100) != 0;
            if ((chosen & 0b10001) == 0b10001 && (chosen & 0b01110) != 0b01110) {
                // X-Forwarded-For decides, and Forwarded says more than its family: that isn't believed
                proto = (chosen & 0b00010) != 0;
                host = (chosen & 0b00100) != 0;
            }

            ForwardedStory story = read(lines);
            Map<String, String> told = told(story);
            List<ForwardedElement> elements = ForwardedElement.parse(told.get("Forwarded"), 100);
            ForwardedElement outermost = elements.get(0);

            assertThat(told.get("X-Forwarded-For"))
                    .as(List.of(lines).toString())
                    .isEqualTo(nodes ? "192.0.2.7, 10.1.1.1, 10.0.0.1" : "10.0.0.1")
                    .isEqualTo(String.join(
                            ", ", elements.stream().map(ForwardedElement::node).toList()));
            assertThat(told.get("X-Real-IP")).isEqualTo(nodes ? "192.0.2.7" : "10.0.0.1");
            assertThat(told.get("X-Forwarded-Proto"))
                    .as(List.of(lines).toString())
                    .isEqualTo(proto ? "https" : "http");
            assertThat(story.scheme()).isEqualTo(proto ? "https" : "http");
            if (proto || !nodes) {
                assertThat(outermost.get("proto")).as(told.toString()).isEqualTo(told.get("X-Forwarded-Proto"));
            } else {
                assertThat(outermost.get("proto")).as(told.toString()).isNull();
            }
            assertThat(told.get("X-Forwarded-Host")).startsWith(host ? "outer.example" : "inner.example:8080");
            if (host) {
                assertThat(outermost.get("host")).as(told.toString()).startsWith("outer.example");
            }
            assertThat(elements.get(elements.size() - 1).node()).isEqualTo(PEER);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "X-Forwarded-Proto: https | for=10.0.0.1;host=\"inner.example:8080\";proto=https",
                "X-Forwarded-Proto: HTTPS, http | for=10.0.0.1;host=\"inner.example:8080\";proto=https",
                "X-Forwarded-Proto: wss | for=10.0.0.1;host=\"inner.example:8080\";proto=wss",
                "X-Forwarded-Proto: gopher | for=10.0.0.1;host=\"inner.example:8080\";proto=http",
                "X-Forwarded-Proto: https;by=x | for=10.0.0.1;host=\"inner.example:8080\";proto=http",
                "X-Forwarded-Host: outer.example | for=10.0.0.1;host=outer.example;proto=http",
                "X-Forwarded-Host: a, b | for=10.0.0.1;host=a;proto=http",
                "X-Forwarded-Host: a\";for=6.6.6.6 | for=10.0.0.1;host=\"inner.example:8080\";proto=http",
                "X-Forwarded-For: 192.0.2.7 | for=192.0.2.7, OWN",
                "X-Forwarded-For: 192.0.2.7:4711 | for=\"192.0.2.7:4711\", OWN",
                "X-Forwarded-For: 2001:db8::7 | for=\"[2001:db8::7]\", OWN",
                "X-Forwarded-For: [2001:db8::7]:4711 | for=\"[2001:db8::7]:4711\", OWN",
                "X-Forwarded-For: unknown, _gazonk, a;b=\"c | for=unknown, for=_gazonk, for=unknown, OWN",
                "Forwarded: for=192.0.2.7;proto=https | for=192.0.2.7;proto=https, OWN",
                "Forwarded: proto=https | proto=https, OWN",
                "Forwarded: for=\"[2001:db8::7]:_p\";by=_x;secret=\"a,b\" |"
                        + " for=\"[2001:db8::7]:_p\";by=_x;secret=\"a,b\", OWN",
                "Forwarded: for=\"192.0.2.7 | for=unknown, OWN",
                "Forwarded: for=192.0.2.7;for=6.6.6.6 | for=unknown, OWN",
            })
    void receivedFieldIsConvertedAndExtended(String line, String forwarded) {
        assertThat(told(line))
                .containsEntry(
                        "Forwarded", forwarded.replace("OWN", "for=10.0.0.1;host=\"inner.example:8080\";proto=http"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "for=192.0.2.7 | 192.0.2.7",
                "for=\"192.0.2.7:4711\" | 192.0.2.7",
                "for=\"[2001:DB8::7]:4711\" | 2001:db8::7",
                "for=unknown, for=_gazonk, for=\"_hidden:_port\" | unknown, _gazonk, _hidden",
                "for=\"a, b\", proto=https | unknown, unknown",
                "for=192.0.2.7, for=\" | 192.0.2.7, unknown",
            })
    void nodesOfForwardedStandInXForwardedFor(String forwarded, String addresses) {
        assertThat(told("Forwarded: " + forwarded)).containsEntry("X-Forwarded-For", addresses + ", 10.0.0.1");
    }

    @Test
    void schemeAloneLeavesThePeerTheClient() {
        assertThat(told("Forwarded: proto=https;host=outer.example"))
                .containsEntry("X-Forwarded-For", "10.0.0.1")
                .containsEntry("X-Real-IP", "10.0.0.1")
                .containsEntry("X-Forwarded-Proto", "https")
                .containsEntry("X-Forwarded-Host", "outer.example")
                .containsEntry("X-Forwarded-Port", "443");
    }

    @Test
    void hostWithItsPortIsOneInBothFamilies() {
        assertThat(told("Forwarded: for=192.0.2.7;host=\"outer.example:8443\";proto=https"))
                .containsEntry("X-Forwarded-Host", "outer.example:8443")
                .containsEntry("X-Forwarded-Port", "8443");
        assertThat(told("X-Forwarded-Host: outer.example", "X-Forwarded-Port: 8443", "X-Forwarded-Proto: https"))
                .containsEntry("Forwarded", "for=10.0.0.1;host=\"outer.example:8443\";proto=https");
        assertThat(told("X-Forwarded-Host: outer.example", "X-Forwarded-Port: 443", "X-Forwarded-Proto: https"))
                .containsEntry("Forwarded", "for=10.0.0.1;host=outer.example;proto=https");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "for=192.0.2.7;host=evil.example;proto=https",
                "for=192.0.2.7;proto=https",
                "for=192.0.2.7;host=evil.example",
                "for=192.0.2.8",
                "for=6.6.6.6, for=192.0.2.7"
            })
    void forwardedThatAClientMayHaveWrittenCountsForNothingBesideXForwardedFor(String forged) {
        assertThat(told("X-Forwarded-For: 192.0.2.7", "Forwarded: " + forged))
                .containsEntry("X-Forwarded-Proto", "http")
                .containsEntry("X-Forwarded-Host", "inner.example:8080")
                .containsEntry("Forwarded", "for=192.0.2.7, for=10.0.0.1;host=\"inner.example:8080\";proto=http");
    }

    @Test
    void forwardedThatAgreesKeepsItsWording() {
        assertThat(told(
                        "X-Forwarded-For: 2001:db8::7",
                        "X-Forwarded-Proto: https",
                        "Forwarded: for=\"[2001:DB8::7]:_p\";by=10.0.0.1"))
                .containsEntry(
                        "Forwarded",
                        "for=\"[2001:DB8::7]:_p\";by=10.0.0.1;proto=https,"
                                + " for=10.0.0.1;host=\"inner.example:8080\";proto=http");
    }

    @Test
    void clientCannotForgeSchemeAndHostBeforeTheProxysOwnElement() {
        ForwardedStory story = read("Forwarded: for=6.6.6.6;proto=https;host=evil.example, for=192.0.2.7;proto=http");

        assertThat(IpLiteral.text(story.client())).isEqualTo("192.0.2.7");
        assertThat(story.scheme()).isEqualTo("http");
        assertThat(told(story))
                .containsEntry("X-Forwarded-Proto", "http")
                .containsEntry("X-Forwarded-Host", "inner.example:8080")
                .containsEntry("X-Forwarded-For", "6.6.6.6, 192.0.2.7, 10.0.0.1")
                .containsEntry(
                        "Forwarded",
                        "for=6.6.6.6, for=192.0.2.7;proto=http, for=10.0.0.1;host=\"inner.example:8080\";proto=http");
    }

    @Test
    void longListsAreNotBlownUp() {
        Map<String, String> told = told("X-Forwarded-For: " + "6,".repeat(10_000) + "192.0.2.7");

        assertThat(told.get("X-Forwarded-For")).hasSize(20_000 + "192.0.2.7, 10.0.0.1".length());
        assertThat(ForwardedElement.parse(told.get("Forwarded"), 100)).hasSize(65);
        assertThat(told("Forwarded: " + ",".repeat(10_000) + "for=192.0.2.7").get("Forwarded"))
                .hasSizeLessThan(1000)
                .contains("for=192.0.2.7, for=10.0.0.1");
    }

    @ParameterizedTest
    @CsvSource({"https, https", "http, http", "wss, https", "ws, http", "ftp, http", "'', http"})
    void schemeIsHttpOrHttps(String told, String scheme) {
        assertThat(read("X-Forwarded-Proto: " + told).scheme()).isEqualTo(scheme);
    }
}
