package io.webproxy.undertow.sniff;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.ByteInputs;
import io.webproxy.undertow.sniff.ProxyHeader.Complete;
import io.webproxy.undertow.sniff.ProxyHeader.Malformed;
import io.webproxy.undertow.sniff.ProxyHeader.Partial;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** HAProxy's proxy-protocol.txt, sections 2.1 and 2.2. */
class ProxyHeaderParserTest {
    private static final String SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
    private static final String IPV4 = "\u00c0\0\2\1\u007f\0\0\1\u0012\u0067\0\u0050";
    private static final String IPV6 = "\u0020\1\r\u00b8" + "\0".repeat(11) + "\1" + "\0".repeat(15) + "\1\1\2\3\4";
    private static final List<String> HEADERS = List.of(
            "PROXY TCP4 192.0.2.1 127.0.0.1 4711 80\r\n",
            "PROXY TCP6 2001:db8::1 ::1 4711 80\r\n",
            "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n",
            v2(0x21, 0x11, IPV4),
            v2(0x21, 0x21, IPV6 + "\3\0\4abcd"),
            v2(0x20, 0, ""));

    private static String v2(int command, int family, String block) {
        return SIGNATURE
                + (char) command
                + (char) family
                + (char) (block.length() >> 8)
                + (char) (block.length() & 0xff)
                + block;
    }

    private static ProxyHeader parse(String text) {
        return ProxyHeaderParser.parse(ByteBuffer.wrap(ByteInputs.bytes(text)));
    }

    private static String source(String header) {
        ProxyHeader parsed = parse(header + "GET / HTTP/1.1\r\n");
        assertThat(parsed).isInstanceOf(Complete.class);
        assertThat(((Complete) parsed).length()).isEqualTo(header.length());
        InetSocketAddress source = ((Complete) parsed).source();
        return source == null ? "peer" : source.getAddress().getHostAddress() + " " + source.getPort();
    }

    @ParameterizedTest
    @CsvSource({
        "TCP4 192.0.2.1 127.0.0.1 4711 80, 192.0.2.1 4711",
        "TCP4 255.255.255.255 255.255.255.255 65535 65535, 255.255.255.255 65535",
        "TCP6 2001:db8::1 ::1 4711 80, 2001:db8:0:0:0:0:0:1 4711",
        "TCP6 ::ffff:192.0.2.1 ::1 0 0, 192.0.2.1 0",
        "UNKNOWN, peer",
        "UNKNOWN anything at all, peer"
    })
    void version1(String line, String source) {
        assertThat(source("PROXY " + line + "\r\n")).isEqualTo(source);
    }

    @Test
    void version2() {
        assertThat(source(v2(0x21, 0x11, IPV4))).isEqualTo("192.0.2.1 4711");
        assertThat(source(v2(0x21, 0x21, IPV6))).isEqualTo("2001:db8:0:0:0:0:0:1 258");
        assertThat(source(v2(0x21, 0x11, IPV4 + "\3\0\4abcd")))
                .as("additions are skipped")
                .isEqualTo("192.0.2.1 4711");
        assertThat(source(v2(0x21, 0x21, "\0".repeat(10) + "\u00ff\u00ff\u00c0\0\2\1" + "\0".repeat(16) + "\0\1\0\2")))
                .as("an IPv4-mapped address is an IPv4 address")
                .isEqualTo("192.0.2.1 1");
    }

    @Test
    void healthChecksAndWhatIsNoIpComeFromThePeer() {
        assertThat(source(v2(0x20, 0x11, IPV4))).as("LOCAL").isEqualTo("peer");
        assertThat(source(v2(0x20, 0xff, "whatever"))).as("LOCAL").isEqualTo("peer");
        assertThat(source(v2(0x21, 0x31, "x".repeat(216)))).as("AF_UNIX").isEqualTo("peer");
        assertThat(source(v2(0x21, 0, ""))).as("AF_UNSPEC").isEqualTo("peer");
        assertThat(source(v2(0x21, 0x10, IPV4))).as("unknown transport").isEqualTo("peer");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "PROXY \r\n",
                "PROXY TCP4\r\n",
                "PROXY TCP5 192.0.2.1 127.0.0.1 1 2\r\n",
                "PROXY tcp4 192.0.2.1 127.0.0.1 1 2\r\n",
                "PROXY TCP4 192.0.2.1 127.0.0.1 1\r\n",
                "PROXY TCP4 192.0.2.1 127.0.0.1 1 2 3\r\n",
                "PROXY TCP4  192.0.2.1 127.0.0.1 1 2\r\n",
                "PROXY TCP4 192.0.2.1 127.0.0.1 1 2 \r\n",
                "PROXY TCP4 2001:db8::1 ::1 1 2\r\n",
                "PROXY TCP6 192.0.2.1 127.0.0.1 1 2\r\n",
                "PROXY TCP6 [2001:db8::1] [::1] 1 2\r\n",
                "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
                "PROXY TCP4 192.0.2.1 127.0.0.1 65536 2\r\n",
                "PROXY TCP4 192.0.2.1 127.0.0.1 01 2\r\n",
                "PROXY TCP4 192.0.2.1 127.0.0.1 -1 2\r\n",
                "PROXY TCP4 192.0.2.1 localhost 1 2\r\n",
                "PROXY TCP4 192.0.2 127.0.0.1 1 2\r\n",
                "PROXY TCP4 192.0.2.1 127.0.0.1 1 2\n",
                "PROXY TCP4 192.0.2.1 127.0.0.1 1 2\rX",
                "PROXY\tTCP4 192.0.2.1 127.0.0.1 1 2\r\n",
                "PROXY / HTTP/1.1\r\n"
            })
    void forgedLineIsNeverBelieved(String line) {
        assertThat(parse(line)).isNotInstanceOf(Complete.class).isNotEqualTo(Partial.MORE);
    }

    @Test
    void brokenBinaryHeadersAreRefusedAsSoonAsTheyShow() {
        assertThat(parse(SIGNATURE + "\u0011")).as("version 1").isInstanceOf(Malformed.class);
        assertThat(parse(SIGNATURE + "\42")).as("command").isInstanceOf(Malformed.class);
        assertThat(parse(SIGNATURE + "\u0021\u0011\0\13")).as("short block").isInstanceOf(Malformed.class);
        assertThat(parse(SIGNATURE + "\u0021\u0041\0\14")).as("family").isInstanceOf(Malformed.class);
        assertThat(parse(SIGNATURE + "\u0021\u0013\0\14")).as("transport").isInstanceOf(Malformed.class);
        assertThat(parse(SIGNATURE + "\u0021\u0011\u0010\0")).as("length").isInstanceOf(Malformed.class);
        assertThat(parse(SIGNATURE + "\u0021\u0011\u000f\u00f0"))
                .as("the longest")
                .isEqualTo(Partial.MORE);
    }

    @Test
    void lineIsAtMost107Bytes() {
        String start = "PROXY UNKNOWN ";
        assertThat(source(start + "x".repeat(105 - start.length()) + "\r\n")).isEqualTo("peer");
        assertThat(parse(start + "x".repeat(106 - start.length()) + "\r\n")).isInstanceOf(Malformed.class);
        assertThat(parse(start + "x".repeat(106 - start.length()))).isEqualTo(Partial.MORE);
        assertThat(parse(start + "x".repeat(107 - start.length()))).isInstanceOf(Malformed.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n", "\u0016\3\1", "\r\nGET", "PROXX", "PUT"})
    void otherBeginsAreNoHeader(String begin) {
        assertThat(parse(begin)).isEqualTo(Partial.NONE);
    }

    @Test
    void everyTruncationNeedsMoreAndNoMutationThrows() {
        for (String header : HEADERS) {
            byte[] bytes = ByteInputs.bytes(header);
            ByteInputs.everyTruncation(
                    bytes,
                    cut -> assertThat(ProxyHeaderParser.parse(ByteBuffer.wrap(cut)))
                            .isEqualTo(Partial.MORE));
            ByteInputs.everyMutation(
                    bytes,
                    mutated -> assertThat(ProxyHeaderParser.parse(ByteBuffer.wrap(mutated)))
                            .isNotNull());
        }
    }

    @Test
    void nothingIsConsumed() {
        ByteBuffer bytes =
                ByteBuffer.wrap(ByteInputs.bytes("xx" + HEADERS.get(0))).position(2);
        assertThat(ProxyHeaderParser.parse(bytes)).isInstanceOf(Complete.class);
        assertThat(bytes.position()).isEqualTo(2);
    }
}
