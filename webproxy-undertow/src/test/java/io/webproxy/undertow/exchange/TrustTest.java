package io.webproxy.undertow.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import io.webproxy.spi.AddressRange;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TrustTest {
    private static final Trust TRUST =
            new Trust(List.of(AddressRange.of("10.0.0.0/8"), AddressRange.of("2001:db8:1::/48")));

    private static InetAddress address(String literal) {
        try {
            return InetAddress.getByName(literal);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private static InetAddress client(Trust trust, String peer, HeaderMap fields) {
        return trust.read(new ForwardedStory.Hop(address(peer), "http", "a.example"), fields)
                .client();
    }

    private static String client(Trust trust, String peer, String... chain) {
        HeaderMap fields = new HeaderMap();
        for (String value : chain) {
            fields.add(new HttpString("x-forwarded-for"), value);
        }
        InetAddress client = client(trust, peer, fields);
        return client.getHostAddress();
    }

    @ParameterizedTest
    @ValueSource(strings = {"192.0.2.1", "10.0.0.1", "127.0.0.1", "garbage", ""})
    void clientCannotForgeForwardedFor(String forged) {
        assertThat(client(TRUST, "203.0.113.5", forged)).isEqualTo("203.0.113.5");
    }

    @Test
    void nobodyIsTrustedByDefault() {
        Trust nobody = new Trust(List.of());

        assertThat(nobody.contains(address("127.0.0.1"))).isFalse();
        assertThat(client(nobody, "127.0.0.1", "192.0.2.1")).isEqualTo("127.0.0.1");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "192.0.2.1 | 192.0.2.1",
                "203.0.113.66, 192.0.2.1 | 192.0.2.1",
                "10.1.1.1, 192.0.2.1 | 192.0.2.1",
                "192.0.2.1, 10.0.0.7 | 192.0.2.1",
                "203.0.113.66, 192.0.2.1, 10.0.0.7,10.0.0.8 | 192.0.2.1",
                "10.0.0.6, 10.0.0.7 | 10.0.0.6",
                "'  192.0.2.1\t' | 192.0.2.1",
                "2001:db8:2::1 | 2001:db8:2:0:0:0:0:1",
                "[2001:db8:2::1] | 2001:db8:2:0:0:0:0:1",
                "192.0.2.1, 2001:db8:1::5 | 192.0.2.1",
                "192.0.2.1:4711 | 192.0.2.1",
                "[2001:db8:2::1]:4711 | 2001:db8:2:0:0:0:0:1",
                "192.0.2.1, 10.0.0.7:80 | 192.0.2.1",
                "[::ffff:192.0.2.1]:1 | 192.0.2.1",
                "::ffff:192.0.2.1 | 192.0.2.1",
                "192.0.2.1, ::ffff:10.0.0.9 | 192.0.2.1"
            })
    void clientIsTheLastAddressThatNoTrustedProxyHas(String chain, String client) {
        assertThat(client(TRUST, "10.0.0.1", chain)).isEqualTo(client);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                ",",
                "unknown",
                "_hidden",
                "localhost",
                "192.0.2.1:",
                "192.0.2.1:123456",
                "192.0.2.1:4711:1",
                "[2001:db8:2::1]4711",
                "[2001:db8:2::1]:x",
                "[192.0.2.1]:4711",
                "[fe80::1%eth0]:4711",
                "192.0.2",
                "3221225985",
                "0xc0000201",
                "1.2.3.4.5",
                "fe80::1%eth0",
                "[::1",
                "::1]",
                ":",
                ":::",
                "1:2:3:4:5:6:7:8:9",
                "\"192.0.2.1\"",
                "for=192.0.2.1",
                "192.0.2.1 10.0.0.1",
                "192.0.2.1\0",
                "\u0661.2.3.4"
            })
    void elementThatIsNoAddressEndsTheChainAtTheProxyThatSentIt(String element) {
        assertThat(client(TRUST, "10.0.0.1", "192.0.2.1, " + element)).isEqualTo("10.0.0.1");
        assertThat(client(TRUST, "10.0.0.1", "192.0.2.1, " + element + ", 10.0.0.7"))
                .isEqualTo("10.0.0.7");
    }

    private static String forwarded(String peer, String... values) {
        HeaderMap fields = new HeaderMap();
        for (String value : values) {
            fields.add(new HttpString("forwarded"), value);
        }
        return client(TRUST, peer, fields).getHostAddress();
    }

    /** RFC 7239 sections 4, 6 and 7.1. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "for=192.0.2.1 | 192.0.2.1",
                "For=192.0.2.1;proto=https;host=a.example | 192.0.2.1",
                "proto=https ; for=192.0.2.1 | 192.0.2.1",
                "for=\"192.0.2.1:4711\" | 192.0.2.1",
                "for=\"[2001:db8:2::1]\" | 2001:db8:2:0:0:0:0:1",
                "for=\"[2001:db8:2::1]:4711\" | 2001:db8:2:0:0:0:0:1",
                "for=\"[2001:db8:2::1]:_obf\";by=10.0.0.1 | 2001:db8:2:0:0:0:0:1",
                "for=203.0.113.66, for=192.0.2.1,for=10.0.0.7 | 192.0.2.1",
                "for=203.0.113.66, for=\"\\192.0.2.1\", for=10.0.0.7;host=\"a,b;for=1\" | 192.0.2.1",
                "for=203.0.113.66, for=192.0.2.1;host=\"a\\\",for=203.0.113.9\" | 192.0.2.1"
            })
    void forwardedIsReadWhereThereIsNoForwardedFor(String value, String client) {
        assertThat(forwarded("10.0.0.1", value)).isEqualTo(client);
        assertThat(forwarded("203.0.113.5", value)).isEqualTo("203.0.113.5");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "for=unknown",
                "for=_hidden",
                "for=2001:db8:2::1",
                "for=\"2001:db8:2::1\"",
                "for=[2001:db8:2::1]",
                "for=192.0.2.1:4711",
                "for=\"[fe80::1%eth0]\"",
                "for=\"192.0.2.1",
                "for=192.0.2.1\"",
                "for=\"192.0.2.1\"x",
                "for=192.0.2.1;for=192.0.2.2",
                "for=192.0.2.1;",
                "for",
                "192.0.2.1",
                "proto=https",
                "for=192.0.2.1 x"
            })
    void elementOfForwardedThatNamesNobodyEndsTheChain(String element) {
        assertThat(forwarded("10.0.0.1", "for=203.0.113.66", element)).isEqualTo("10.0.0.1");
    }

    @Test
    void forwardedForIsReadFirst() {
        HeaderMap fields = new HeaderMap()
                .add(new HttpString("forwarded"), "for=203.0.113.66")
                .add(new HttpString("x-forwarded-for"), "192.0.2.1");
        assertThat(client(TRUST, "10.0.0.1", fields)).isEqualTo(address("192.0.2.1"));
    }

    @Test
    void severalFieldsAreOneChain() {
        assertThat(client(TRUST, "10.0.0.1", "203.0.113.66", "192.0.2.1, 10.0.0.8", "10.0.0.7"))
                .isEqualTo("192.0.2.1");
    }

    @Test
    void trustedPeerWithoutTheFieldIsTheClientItself() {
        assertThat(client(TRUST, "10.0.0.1")).isEqualTo("10.0.0.1");
        assertThat(client(TRUST, "2001:db8:1::1", "192.0.2.1")).isEqualTo("192.0.2.1");
    }

    @Test
    void longForgedChainIsReadFromItsEndOnly() {
        assertThat(client(TRUST, "10.0.0.1", "10.0.0.1,".repeat(3_000) + "192.0.2.1"))
                .isEqualTo("192.0.2.1");
        assertThat(client(TRUST, "10.0.0.1", "10.0.0.2" + ",10.0.0.1".repeat(3_000)))
                .isEqualTo("10.0.0.2");
    }

    @Test
    void rangesAreCopied() {
        List<AddressRange> ranges = new ArrayList<>(List.of(AddressRange.of("10.0.0.0/8")));
        Trust trust = new Trust(ranges);
        ranges.clear();

        assertThat(trust.contains(address("10.0.0.1"))).isTrue();
        assertThat(trust.contains(address("11.0.0.1"))).isFalse();
    }
}
