package io.webproxy.undertow.sniff;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.webproxy.port.BytePattern;
import io.webproxy.port.PortBuilder;
import io.webproxy.port.Sni;
import io.webproxy.spi.PortRule;
import io.webproxy.undertow.sniff.Decision.More;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Any bytes at the begin of a connection. */
class SniffFuzzTest {
    private static final String TARGET = "127.0.0.1:1";
    private static final List<PortRule> RULES = new PortBuilder()
            .ssh(TARGET)
            .tls(Sni.of("www.example.com").alpn("h2"), TARGET)
            .tls(Sni.of("*.example.com"), TARGET)
            .tls(Sni.none(), TARGET)
            .http()
            .socks5(TARGET)
            .openVpn(TARGET)
            .postgreSql(TARGET)
            .proxyHeader(TARGET)
            .match("late", BytePattern.of("be ef").at(3).mask("ff 0f"), TARGET)
            .match("early", BytePattern.of("16"), TARGET)
            .build()
            .rules();

    @FuzzTest
    void clientHello(byte[] input) {
        ByteBuffer whole = ByteBuffer.wrap(input);
        Peeked answer = new ClientHelloParser().feed(whole);
        assertThat(whole.position()).isLessThanOrEqualTo(ClientHelloParser.MAX_BYTES);
        ClientHelloParser parser = new ClientHelloParser();
        Peeked piecewise = Peeked.More.MORE;
        int at = 0;
        for (int size = 1; at < input.length && piecewise == Peeked.More.MORE; size = size % 7 + 1) {
            int count = Math.min(size, input.length - at);
            ByteBuffer piece = ByteBuffer.wrap(input, at, count);
            piecewise = parser.feed(piece);
            at += count - piece.remaining();
        }
        assertThat(piecewise).isEqualTo(answer);
        if (answer instanceof Peeked.ClientHello hello) {
            assertThat(at).isEqualTo(whole.position());
            assertThat(hello.serverName() == null || hello.serverName().matches("[a-z0-9._-]{0,253}"))
                    .isTrue();
            assertThat(hello.protocols()).doesNotContain("");
        }
    }

    /**
     * The first byte chooses the rules and their order, the second the length of the pieces; the rest comes from a
     * client.
     */
    @FuzzTest
    void rules(byte[] input) {
        if (input.length < 2) {
            return;
        }
        List<PortRule> rules = new ArrayList<>(RULES);
        Collections.rotate(rules, input[0] & 15);
        if ((input[0] & 16) != 0) {
            Collections.reverse(rules);
        }
        rules.subList(0, (input[0] & 0xff) >> 5).clear();
        ByteBuffer all = ByteBuffer.wrap(input).position(2);
        Decision whole = new PortDetection(rules).decide(all);
        PortDetection detection = new PortDetection(rules);
        Decision decision = More.MORE;
        for (int at = 2; at < input.length && decision == More.MORE; ) {
            at = Math.min(input.length, at + 1 + (input[1] & 0xff));
            decision = detection.decide(ByteBuffer.wrap(input, 2, at - 2));
        }
        // however it is split, and what is decided once stays so
        assertThat(decision).isEqualTo(whole);
        assertThat(all.position()).isEqualTo(2);
        assertThat(all.limit()).isEqualTo(input.length);
        assertThat(decision != More.MORE || input.length - 2 <= PortDetection.MAX_BYTES)
                .isTrue();
        if (whole instanceof Decision.Rule taken) {
            assertThat(rules).contains(taken.rule());
            assertThat(taken.hello() != null).isEqualTo(taken.rule().protocol() == PortRule.Protocol.TLS);
            // only an earlier rule could have taken it before
            List<PortRule> earlier = rules.subList(0, rules.indexOf(taken.rule()));
            assertThat(new PortDetection(earlier).decide(all))
                    .isNotInstanceOf(Decision.Rule.class)
                    .isNotEqualTo(More.MORE);
        }
    }

    @FuzzTest
    void proxyHeader(byte[] input) {
        ProxyHeader whole = ProxyHeaderParser.parse(ByteBuffer.wrap(input));
        boolean decided = false;
        for (int length = 0; length <= Math.min(input.length, ProxyHeaderParser.MAX_BYTES); length++) {
            ProxyHeader start = ProxyHeaderParser.parse(ByteBuffer.wrap(input, 0, length));
            // what is decided once stays so
            assertThat(!decided || start.equals(whole)).isTrue();
            decided = start != ProxyHeader.Partial.MORE;
        }
        assertThat(decided || input.length < ProxyHeaderParser.MAX_BYTES).isTrue();
        if (whole instanceof ProxyHeader.Complete complete) {
            assertThat(complete.length()).isBetween(8, Math.min(input.length, ProxyHeaderParser.MAX_BYTES));
        }
    }
}
