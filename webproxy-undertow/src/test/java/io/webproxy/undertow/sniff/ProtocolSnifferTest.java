package io.webproxy.undertow.sniff;

import static io.webproxy.testing.ByteInputs.bytes;
import static io.webproxy.testing.ByteInputs.everyMutation;
import static io.webproxy.testing.ByteInputs.everyTruncation;
import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.undertow.sniff.ProtocolSniffer.Protocol;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProtocolSnifferTest {
    private static final byte[] CLIENT_HELLO = {22, 3, 1, 0, 5, 1, 0, 0, 1, 3};

    /** Sniffs behind a byte that has been read, and checks that nothing is consumed. */
    private static Protocol sniff(byte[] input) {
        ByteBuffer buffer = ByteBuffer.allocate(input.length + 2);
        buffer.put((byte) 'X').put(input).put((byte) 'Y').flip();
        buffer.position(1).limit(input.length + 1);
        Protocol protocol = ProtocolSniffer.sniff(buffer);
        assertThat(buffer.position()).isEqualTo(1);
        assertThat(buffer.remaining()).isEqualTo(input.length);
        return protocol;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET / HTTP/1.1\r\n",
                "G ",
                "PRI * HTTP/2.0\r\n\r\n",
                "CONNECT a:1 HTTP/1.1",
                "PROPPATCH / HTTP/1.1",
                "\r\nGET / HTTP/1.1",
                "\nGET /",
                "\n\nGET /",
                "ABCDEFGHIJKLMNOPQRST /"
            })
    void requestLineIsHttp(String input) {
        assertThat(sniff(bytes(input))).isEqualTo(Protocol.HTTP);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SSH-2.0-OpenSSH_9.6\r\n",
                "\0",
                " GET /",
                "GET\t/",
                "GET\r\n",
                "GET\0/",
                "get / HTTP/1.1",
                "\r\n\r\nGET /",
                "\r\n /",
                "ABCDEFGHIJKLMNOPQRSTU /",
                "ABCDEFGHIJKLMNOPQRSTU",
                "\u0080GET /",
                "{\"a\": 1}"
            })
    void anythingElseIsUnknown(String input) {
        assertThat(sniff(bytes(input))).isEqualTo(Protocol.UNKNOWN);
    }

    @Test
    void handshakeRecordIsTlsOfAnyMinorVersion() {
        for (int minor = 0; minor < 256; minor++) {
            assertThat(sniff(new byte[] {22, 3, (byte) minor})).isEqualTo(Protocol.TLS);
        }
        assertThat(sniff(CLIENT_HELLO)).isEqualTo(Protocol.TLS);
    }

    @ParameterizedTest
    @CsvSource({"22, 2", "22, 0", "22, 4", "22, 131", "21, 3", "23, 3", "128, 46", "150, 3"})
    void otherRecordsAreNoHandshake(int type, int major) {
        assertThat(sniff(new byte[] {(byte) type, (byte) major, 1, 0, 0})).isEqualTo(Protocol.UNKNOWN);
    }

    @Test
    void everyTruncationOfAMethodNeedsMore() {
        for (String method : new String[] {"GET", "\r\nOPTIONS", "\n\nABCDEFGHIJKLMNOPQRST"}) {
            everyTruncation(bytes(method + " "), cut -> assertThat(sniff(cut)).isEqualTo(Protocol.UNDECIDED));
        }
        assertThat(sniff(new byte[] {22})).isEqualTo(Protocol.UNDECIDED);
        assertThat(sniff(new byte[0])).isEqualTo(Protocol.UNDECIDED);
    }

    @Test
    void everyMutationIsAnsweredWithoutAnException() {
        everyMutation(CLIENT_HELLO, ProtocolSnifferTest::sniff);
        everyMutation(bytes("\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), ProtocolSnifferTest::sniff);
    }

    @Test
    void moreBytesNeverChangeADecision() {
        for (byte[] input : new byte[][] {CLIENT_HELLO, bytes("\r\nGET / HTTP/1.1\r\n"), bytes("SSH-2.0-x")}) {
            everyMutation(input, mutated -> {
                Protocol whole = sniff(mutated);
                everyTruncation(mutated, cut -> assertThat(sniff(cut)).isIn(Protocol.UNDECIDED, whole));
            });
        }
    }

    @Test
    void endlessUpperCaseIsDecidedSoon() {
        assertThat(sniff(bytes("A".repeat(21)))).isEqualTo(Protocol.UNKNOWN);
        assertThat(sniff(bytes("A".repeat(16 * 1024)))).isEqualTo(Protocol.UNKNOWN);
    }
}
