package io.webproxy.undertow.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import io.webproxy.http.ForwardedHeaders;
import io.webproxy.spi.AddressRange;
import io.webproxy.spi.IpLiteral;
import java.net.InetAddress;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ForwardedFieldsTest {
    private static final String PEER = "203.0.113.5";

    private final HeaderMap in = new HeaderMap();

    private ForwardedFieldsTest sent(String name, String value) {
        in.add(new HttpString(name), value);
        return this;
    }

    /** The field lines that the upstream sees. */
    private List<String> write(String scheme, String authority, String peer, String client, boolean trusted) {
        HeadLines out = new HeadLines();
        InetAddress address = Objects.requireNonNull(IpLiteral.parse(peer));
        ForwardedStory.Hop hop = new ForwardedStory.Hop(address, scheme, authority);
        ForwardedStory story = new Trust(trusted ? List.of(AddressRange.of("10.0.0.0/8")) : List.of()).read(hop, in);
        assertThat(IpLiteral.text(story.client())).isEqualTo(client);
        story.write(out, ForwardedHeaders.all(), peer, client);
        return out.lines();
    }

    @Test
    void spoofedFieldsAreReplaced() {
        for (String name : List.of(
                "X-Forwarded-For",
                "x-forwarded-proto",
                "X-Forwarded-Host",
                "X-Forwarded-Port",
                "X-Real-IP",
                "Forwarded")) {
            sent(name, "evil").sent(name, "evil2");
        }

        assertThat(write("https", "example.com:8443", PEER, PEER, false))
                .containsExactly(
                        "X-Forwarded-For: 203.0.113.5",
                        "X-Forwarded-Proto: https",
                        "X-Forwarded-Host: example.com:8443",
                        "X-Forwarded-Port: 8443",
                        "X-Real-IP: 203.0.113.5",
                        "Forwarded: for=203.0.113.5;host=\"example.com:8443\";proto=https");
    }

    @Test
    void fieldsOfATrustedProxyAreExtended() {
        sent("X-Forwarded-For", "192.0.2.1")
                .sent("X-Forwarded-For", "10.0.0.2")
                .sent("X-Forwarded-Proto", "https")
                .sent("X-Forwarded-Host", "public.example.com")
                .sent("X-Forwarded-Port", "443")
                .sent("X-Real-IP", "evil")
                .sent("Forwarded", "for=192.0.2.1;proto=https");

        assertThat(write("http", "inner:8080", "10.0.0.1", "192.0.2.1", true))
                .containsExactly(
                        "X-Forwarded-For: 192.0.2.1, 10.0.0.2, 10.0.0.1",
                        "X-Forwarded-Proto: https",
                        "X-Forwarded-Host: public.example.com",
                        "X-Forwarded-Port: 443",
                        "X-Real-IP: 192.0.2.1",
                        "Forwarded: for=192.0.2.1;host=public.example.com;proto=https, for=10.0.0.2,"
                                + " for=10.0.0.1;host=\"inner:8080\";proto=http");
    }

    @Test
    void trustedProxyThatSendsNothingCountsAsTheClient() {
        assertThat(write("http", "example.com", "10.0.0.1", "10.0.0.1", true))
                .containsExactly(
                        "X-Forwarded-For: 10.0.0.1",
                        "X-Forwarded-Proto: http",
                        "X-Forwarded-Host: example.com",
                        "X-Forwarded-Port: 80",
                        "X-Real-IP: 10.0.0.1",
                        "Forwarded: for=10.0.0.1;host=example.com;proto=http");
    }

    @Test
    void requestWithoutHostNamesNone() {
        assertThat(write("http", "", PEER, PEER, false))
                .containsExactly(
                        "X-Forwarded-For: 203.0.113.5",
                        "X-Forwarded-Proto: http",
                        "X-Forwarded-Port: 80",
                        "X-Real-IP: 203.0.113.5",
                        "Forwarded: for=203.0.113.5;proto=http");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "https | a | 192.0.2.1 | for=192.0.2.1;host=a;proto=https",
                "http | a:80 | 192.0.2.1 | for=192.0.2.1;host=\"a:80\";proto=http",
                "http | [::1]:80 | 2001:db8::1 | for=\"[2001:db8::1]\";host=\"[::1]:80\";proto=http",
                "http | a\"b\\c | 192.0.2.1 | for=192.0.2.1;host=\"a\\\"b\\\\c\";proto=http",
                "http | a;for=x | 192.0.2.1 | for=192.0.2.1;host=\"a;for=x\";proto=http",
                "http | a,for=x | 192.0.2.1 | for=192.0.2.1;host=\"a,for=x\";proto=http"
            })
    void hostCannotEscapeFromItsForwardedElement(String scheme, String authority, String peer, String element) {
        assertThat(ForwardedFields.element(scheme, authority, peer)).isEqualTo(element);
    }

    @ParameterizedTest
    @CsvSource({
        "https, a, 443",
        "http, a, 80",
        "https, a:8443, 8443",
        "https, a:, 443",
        "http, [::1], 80",
        "https, [2001:db8::7], 443",
        "http, [::1]:8080, 8080",
        "http, [::1]:, 80",
        "https, '', 443"
    })
    void portIsTheOneThatTheClientUsed(String scheme, String authority, String port) {
        assertThat(ForwardedFields.port(scheme, authority)).isEqualTo(port);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x-forwarded-for",
                "X-FORWARDED-PROTO",
                "X-Forwarded-Host",
                "X-Forwarded-Port",
                "X-Forwarded-Server",
                "X-Forwarded-Scheme",
                "X-Forwarded-Ssl",
                "X-Forwarded-By",
                "X-Forwarded-Prefix",
                "X-Real-Ip",
                "forwarded"
            })
    void clientsOwnFieldIsNeverPassedOn(String name) {
        assertThat(ForwardedFields.ALL.contains(new HttpString(name))).isTrue();
    }

    @Test
    void otherFieldsAreNone() {
        assertThat(ForwardedFields.ALL.contains(new HttpString("X-Request-Id"))).isFalse();
        assertThat(ForwardedFields.ALL.contains(new HttpString("Via"))).isFalse();
    }

    @Test
    void authorityIsTheFirstHostOrEmpty() {
        assertThat(ForwardedFields.authority(in)).isEmpty();
        assertThat(ForwardedFields.authority(sent("host", "a:1").in)).isEqualTo("a:1");
    }

    @Test
    void valuesOfOneNameAreJoinedAsAList() {
        sent("X-A", "1").sent("X-A", "2, 3");

        assertThat(ForwardedFields.joined(in, new HttpString("X-A"))).isEqualTo("1, 2, 3");
        assertThat(ForwardedFields.joined(in, new HttpString("None"))).isEmpty();
    }
}
