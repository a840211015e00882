package io.webproxy.undertow.sniff;

import static io.webproxy.testing.ByteInputs.everyMutation;
import static io.webproxy.testing.ByteInputs.everySplit;
import static io.webproxy.testing.ByteInputs.everyTruncation;
import static io.webproxy.testing.Hellos.ascii;
import static io.webproxy.testing.Hellos.extension;
import static io.webproxy.testing.Hellos.inRecords;
import static io.webproxy.testing.Hellos.joined;
import static io.webproxy.testing.Hellos.message;
import static io.webproxy.testing.Hellos.messageOf;
import static io.webproxy.testing.Hellos.number;
import static io.webproxy.testing.Hellos.padding;
import static io.webproxy.testing.Hellos.record;
import static io.webproxy.testing.Hellos.serverName;
import static io.webproxy.testing.Hellos.start;
import static io.webproxy.testing.Hellos.vector;
import static io.webproxy.undertow.sniff.Peeked.More.MORE;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.Hellos;
import io.webproxy.testing.Peers;
import io.webproxy.undertow.sniff.Peeked.ClientHello;
import io.webproxy.undertow.sniff.Peeked.Malformed;
import java.io.File;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.conscrypt.Conscrypt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ClientHelloParserTest {
    private static final int TLS12 = 0x0303;
    private static final int TLS13 = 0x0304;
    private static final byte[] SMALL = Hellos.with(
            serverName("a.Example"),
            extension(16, vector(2, vector(1, ascii("h2")), vector(1, ascii("http/1.1")))),
            extension(43, vector(1, number(0x1a1a, TLS13, TLS12))),
            extension(13, vector(2, number(0x0403, 0x0804))),
            extension(0xdada, new byte[1]));

    private static Peeked parse(byte[]... pieces) {
        ClientHelloParser parser = new ClientHelloParser();
        Peeked answer = MORE;
        for (byte[] piece : pieces) {
            ByteBuffer bytes = ByteBuffer.wrap(piece);
            answer = parser.feed(bytes);
            if (answer == MORE && bytes.hasRemaining()) {
                throw new AssertionError("bytes are left, and more are wanted");
            }
        }
        return answer;
    }

    private static ClientHello hello(byte[] input) {
        assertThat(parse(input)).isInstanceOf(ClientHello.class);
        return (ClientHello) parse(input);
    }

    private static Stream<Arguments> engines() throws Exception {
        SSLContext jdk = SSLContext.getInstance("TLS", "SunJSSE");
        jdk.init(null, null, null);
        SSLContext conscrypt = SSLContext.getInstance("TLS", Conscrypt.newProvider());
        conscrypt.init(null, null, null);
        return Stream.of(jdk, conscrypt)
                .flatMap(context -> Stream.of(
                        Arguments.of(context, new String[] {"TLSv1.3", "TLSv1.2"}, List.of(TLS13, TLS12)),
                        Arguments.of(context, new String[] {"TLSv1.3"}, List.of(TLS13)),
                        Arguments.of(context, new String[] {"TLSv1.2"}, List.of(TLS12))));
    }

    @ParameterizedTest
    @MethodSource("engines")
    void hellosOfEnginesAreRead(SSLContext context, String[] offered, List<Integer> versions) throws Exception {
        byte[] input = Hellos.of(context, "chat.example.com", offered, "h2", "http/1.1");
        ClientHello hello = hello(input);
        assertThat(hello.serverName()).isEqualTo("chat.example.com");
        assertThat(hello.protocols()).containsExactly("h2", "http/1.1");
        assertThat(hello.versions()).isEqualTo(versions);
        assertThat(hello.signatureAlgorithms()).contains(0x0403, 0x0804);
        assertThat(hello.cipherSuites()).contains(versions.contains(TLS13) ? 0x1301 : 0xc02f);

        assertThat(parse(singly(input))).isEqualTo(hello);
        for (int size : new int[] {1, 3, 4, 5, 100}) {
            assertThat(parse(inRecords(input, size))).as("records of " + size).isEqualTo(hello);
            assertThat(parse(singly(inRecords(input, size)))).isEqualTo(hello);
        }
        everyTruncation(input, cut -> assertThat(parse(cut)).isEqualTo(MORE));
        everyMutation(input, mutated -> requireNonNull(parse(mutated)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "openssl s_client -connect 127.0.0.1:PORT -servername chat.example.com -alpn h2,http/1.1",
                "openssl s_client -connect 127.0.0.1:PORT -servername chat.example.com -alpn h2,http/1.1 -tls1_2",
                "curl -sk --max-time 5 --connect-to chat.example.com:443:127.0.0.1:PORT https://chat.example.com/"
            })
    void hellosOfOtherProgramsAreRead(String command) throws Exception {
        byte[] input = captured(command);
        ClientHello hello = hello(input);
        assertThat(hello.serverName()).isEqualTo("chat.example.com");
        assertThat(hello.protocols()).containsExactly("h2", "http/1.1");
        assertThat(hello.versions()).contains(TLS12);
        assertThat(hello.versions().contains(TLS13)).isNotEqualTo(command.endsWith("-tls1_2"));
        everyTruncation(input, cut -> assertThat(parse(cut)).isEqualTo(MORE));
        everyMutation(input, mutated -> requireNonNull(parse(mutated)));
    }

    /**
     * Chromium 156's: more than a TCP segment, with a post-quantum key share, GREASE, an ECH extension and its
     * extensions shuffled.
     */
    @Test
    void helloOfABrowserIsReadHoweverItArrives() throws Exception {
        byte[] input;
        try (InputStream recorded = getClass().getResourceAsStream("SniffFuzzTestInputs/clientHello/chromium")) {
            input = requireNonNull(recorded).readAllBytes();
        }
        assertThat(input).hasSizeGreaterThan(1460);
        ClientHello hello = hello(input);
        assertThat(hello.serverName()).isEqualTo("www.example.com");
        assertThat(hello.protocols()).containsExactly("h2", "http/1.1");
        assertThat(hello.versions()).containsExactly(TLS13, TLS12);
        for (int at = 0; at <= input.length; at++) {
            assertThat(parse(Arrays.copyOf(input, at), Arrays.copyOfRange(input, at, input.length)))
                    .as("split at %s", at)
                    .isEqualTo(hello);
        }
        assertThat(parse(singly(input))).isEqualTo(hello);
        assertThat(parse(singly(inRecords(input, 1)))).isEqualTo(hello);
        everyTruncation(input, cut -> assertThat(parse(cut)).isEqualTo(MORE));
        everyMutation(input, mutated -> requireNonNull(parse(mutated)));
    }

    /** What a program sends to a port before anything is answered: one record. */
    private static byte[] captured(String command) throws Exception {
        String[] words = command.split(" ");
        Path program = Peers.require(words[0]);
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            words[0] = program.toString();
            Process process = new ProcessBuilder(Arrays.stream(words)
                            .map(word -> word.replace("PORT", Integer.toString(server.getLocalPort())))
                            .toList())
                    .redirectInput(new File("/dev/null"))
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try (Socket accepted = server.accept()) {
                accepted.setSoTimeout(30_000);
                byte[] header = accepted.getInputStream().readNBytes(5);
                return joined(
                        header,
                        accepted.getInputStream()
                                .readNBytes(ByteBuffer.wrap(header).getShort(3)));
            } finally {
                process.destroyForcibly().waitFor();
            }
        }
    }

    private static byte[][] singly(byte[] input) {
        byte[][] pieces = new byte[input.length][];
        for (int i = 0; i < input.length; i++) {
            pieces[i] = new byte[] {input[i]};
        }
        return pieces;
    }

    @Test
    void inputMayBeSplitAnywhere() {
        ClientHello whole = hello(SMALL);
        assertThat(whole)
                .isEqualTo(new ClientHello(
                        "a.example",
                        List.of("h2", "http/1.1"),
                        List.of(TLS13, TLS12),
                        List.of(0x0403, 0x0804),
                        List.of(0xc02f)));
        everySplit(
                SMALL,
                pieces -> assertThat(parse(pieces.toArray(new byte[0][]))).isEqualTo(whole));
        everyTruncation(SMALL, cut -> assertThat(parse(cut)).isEqualTo(MORE));
        everyMutation(SMALL, mutated -> assertThat(parse(singly(mutated))).isEqualTo(parse(mutated)));
    }

    @Test
    void whatFollowsStaysInTheBuffer() {
        ByteBuffer bytes = ByteBuffer.wrap(joined(SMALL, ascii("rest")));
        assertThat(new ClientHelloParser().feed(bytes)).isEqualTo(hello(SMALL));
        assertThat(bytes.remaining()).isEqualTo(4);
    }

    @Test
    void helloWithoutExtensionsOffersTheVersionThatItNames() {
        assertThat(hello(Hellos.with()))
                .isEqualTo(new ClientHello(null, List.of(), List.of(TLS12), List.of(), List.of(0xc02f)));
        byte[] old = Hellos.with();
        old[10] = 2;
        assertThat(hello(old).versions()).containsExactly(0x0302);
    }

    @Test
    void helloMayBeAsLongAsTheLimitAndNoLonger() {
        int rest = ClientHelloParser.MAX_HELLO - start().length - 2 - 4;
        byte[] largest = message(joined(start(), vector(2, padding(rest))));
        assertThat(largest).hasSize(4 + ClientHelloParser.MAX_HELLO);
        assertThat(hello(inRecords(record(largest), 1000)).serverName()).isNull();
        byte[] above = message(joined(start(), vector(2, padding(rest + 1))));
        assertRefused(inRecords(record(above), 1000), Alerts.ILLEGAL_PARAMETER);
        // told by the length, before a byte of it is kept
        assertRefused(record(new byte[] {1, 0, 0x40, 1}), Alerts.ILLEGAL_PARAMETER);
    }

    @Test
    void helloCannotComeInAnyNumberOfTinyRecords() {
        byte[] large = Hellos.with(padding(8000));
        assertRefused(inRecords(large, 1), Alerts.ILLEGAL_PARAMETER);
        assertThat(hello(inRecords(large, 2)).serverName()).isNull();
    }

    private static void assertRefused(byte[] input, int alert) {
        assertThat(parse(input))
                .isInstanceOfSatisfying(
                        Malformed.class,
                        malformed -> assertThat(malformed.alert())
                                .as(malformed.reason())
                                .isEqualTo(alert));
        assertThat(parse(singly(input))).isEqualTo(parse(input));
    }

    private static void assertUndecodable(byte[] body) {
        assertRefused(record(message(body)), Alerts.DECODE_ERROR);
    }

    @Test
    void recordsAreChecked() {
        assertRefused(new byte[] {23}, Alerts.UNEXPECTED_MESSAGE);
        assertRefused(new byte[] {22, 2}, Alerts.PROTOCOL_VERSION);
        assertRefused(new byte[] {22, 3, 1, 0, 0}, Alerts.UNEXPECTED_MESSAGE);
        assertRefused(new byte[] {22, 3, 1, 0x40, 1}, Alerts.RECORD_OVERFLOW);
        assertRefused(new byte[] {22, 3, 1, 0, 9, 2}, Alerts.UNEXPECTED_MESSAGE);
        assertRefused(joined(record(new byte[] {1}), new byte[] {21}), Alerts.UNEXPECTED_MESSAGE);
        assertRefused(joined(record(new byte[] {1}), new byte[] {22, 3, 3, 0, 0}), Alerts.UNEXPECTED_MESSAGE);
    }

    @Test
    void helloThatCannotBeDecodedIsRefused() {
        byte[] random = new byte[34];
        random[0] = 3;
        byte[] none = new byte[0];
        byte[] suites = vector(2, number(1));
        byte[] methods = vector(1, new byte[1]);
        assertUndecodable(none);
        assertUndecodable(random);
        assertUndecodable(joined(random, vector(1, new byte[33]), suites, methods));
        assertUndecodable(joined(random, vector(1, none), vector(2, none), methods));
        assertUndecodable(joined(random, vector(1, none), vector(2, new byte[3]), methods));
        assertUndecodable(joined(random, vector(1, none), suites, vector(1, none)));
        assertUndecodable(joined(start(), new byte[1]));
        assertUndecodable(joined(start(), vector(2, none), new byte[1]));
        assertUndecodable(joined(start(), vector(2, new byte[3])));
        for (byte[] extension : List.of(
                extension(0),
                extension(0, vector(2, none)),
                extension(0, vector(2, new byte[] {0}, vector(2, none))),
                extension(0, vector(2, new byte[] {0}, vector(2, ascii("a"))), new byte[1]),
                extension(0, vector(2, new byte[] {0, 0, 9, 'a'})),
                extension(16, vector(2, none)),
                extension(16, vector(2, vector(1, none))),
                extension(16, vector(2, new byte[] {9, 'a'})),
                extension(43, vector(1, none)),
                extension(43, vector(1, new byte[3])),
                extension(43, vector(1, number(TLS13)), new byte[1]),
                extension(13, vector(2, new byte[1])))) {
            assertUndecodable(joined(start(), vector(2, extension)));
        }
        byte[] unknown = start();
        unknown[0] = 2;
        assertRefused(record(message(unknown)), Alerts.PROTOCOL_VERSION);
    }

    @Test
    void clientCannotSayTheSameThingTwice() {
        assertRefused(Hellos.with(serverName("a"), padding(3), serverName("b")), Alerts.ILLEGAL_PARAMETER);
        assertRefused(Hellos.with(extension(99), extension(98), extension(99)), Alerts.ILLEGAL_PARAMETER);
        byte[] name = joined(new byte[] {0}, vector(2, ascii("a")));
        assertRefused(Hellos.with(extension(0, vector(2, name, name))), Alerts.ILLEGAL_PARAMETER);
    }

    @Test
    void manyExtensionsAreRead() {
        byte[][] extensions = new byte[1000][];
        for (int i = 0; i < extensions.length; i++) {
            extensions[i] = extension(1000 + i);
        }
        extensions[500] = serverName("a.example");
        assertThat(hello(Hellos.with(extensions)).serverName()).isEqualTo("a.example");
    }

    @Test
    void onlyNamesThatAHostCanHaveAreTaken() {
        String longest = "a".repeat(253);
        for (String name : List.of("A_b-1.example", "127.0.0.1", "xn--bcher-kva.example", longest)) {
            assertThat(hello(Hellos.with(serverName(name))).serverName()).isEqualTo(name.toLowerCase(Locale.ROOT));
        }
        for (String name : List.of("a\0.example", "a b", "::1", "a/b", "b\u00fccher.example", "a:443", longest + "a")) {
            assertThat(hello(Hellos.with(serverName(name))).serverName()).isEmpty();
        }
        byte[] other = joined(new byte[] {7}, vector(2, ascii("x")));
        byte[] host = joined(new byte[] {0}, vector(2, ascii("a")));
        assertThat(hello(Hellos.with(extension(0, vector(2, other, host)))).serverName())
                .isEqualTo("a");
        assertThat(messageOf(SMALL)).hasSize(SMALL.length - 5);
    }
}
