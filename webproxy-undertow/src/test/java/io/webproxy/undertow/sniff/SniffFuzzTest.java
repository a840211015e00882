package io.webproxy.undertow.sniff;

import static io.webproxy.undertow.sniff.Peeked.More.MORE;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.webproxy.undertow.sniff.ProtocolSniffer.Protocol;
import java.nio.ByteBuffer;

/** Any bytes at the begin of a connection. */
class SniffFuzzTest {
    @FuzzTest
    void clientHello(byte[] input) {
        ByteBuffer whole = ByteBuffer.wrap(input);
        Peeked answer = new ClientHelloParser().feed(whole);
        assertThat(whole.position()).isLessThanOrEqualTo(ClientHelloParser.MAX_BYTES);
        ClientHelloParser parser = new ClientHelloParser();
        Peeked piecewise = MORE;
        int at = 0;
        for (int size = 1; at < input.length && piecewise == MORE; size = size % 7 + 1) {
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

    @FuzzTest
    void protocol(byte[] input) {
        Protocol whole = ProtocolSniffer.sniff(ByteBuffer.wrap(input));
        boolean decided = false;
        for (int length = 0; length <= Math.min(input.length, 40); length++) {
            Protocol start = ProtocolSniffer.sniff(ByteBuffer.wrap(input, 0, length));
            // what is decided once stays so
            assertThat(!decided || start == whole).isTrue();
            decided = start != Protocol.UNDECIDED;
        }
        // two empty lines' ends, and a method that is too long
        assertThat(decided || input.length < 23).isTrue();
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
