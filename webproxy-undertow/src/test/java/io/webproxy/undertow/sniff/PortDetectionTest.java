package io.webproxy.undertow.sniff;

import static io.webproxy.testing.ByteInputs.bytes;
import static io.webproxy.testing.ByteInputs.everyMutation;
import static io.webproxy.testing.Hellos.joined;
import static io.webproxy.testing.Hellos.padding;
import static io.webproxy.testing.Hellos.protocols;
import static io.webproxy.testing.Hellos.serverName;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.port.BytePattern;
import io.webproxy.port.PortBuilder;
import io.webproxy.port.Sni;
import io.webproxy.spi.PortRule;
import io.webproxy.testing.ClientStarts;
import io.webproxy.testing.Hellos;
import io.webproxy.tunnel.TunnelServer;
import io.webproxy.undertow.sniff.Decision.More;
import io.webproxy.undertow.sniff.Decision.None;
import io.webproxy.undertow.sniff.Decision.Rule;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PortDetectionTest {
    private static final String TARGET = "127.0.0.1:1";

    private static final List<PortRule> RULES =
            ClientStarts.rules(new PortBuilder(), name -> TARGET).build().rules();

    private static Stream<Arguments> clientsAndOrders() throws IOException {
        List<PortRule> reversed = new ArrayList<>(RULES);
        Collections.reverse(reversed);
        List<List<PortRule>> orders = new ArrayList<>(List.of(RULES, reversed));
        for (int seed = 1; seed <= 3; seed++) {
            List<PortRule> shuffled = new ArrayList<>(RULES);
            Collections.shuffle(shuffled, new Random(seed));
            orders.add(shuffled);
        }
        Stream.Builder<Arguments> all = Stream.builder();
        ClientStarts.all()
                .forEach((client, rule) -> orders.forEach(order -> all.add(Arguments.of(rule, client, order))));
        return all.build();
    }

    /**
     * Decides whenever a piece has come, behind a byte that has been read, and checks that nothing is consumed or
     * changed.
     */
    private static Decision decide(List<PortRule> rules, byte[]... pieces) {
        byte[] input = joined(pieces);
        ByteBuffer buffer = ByteBuffer.allocate(input.length + 2).put(1, input);
        PortDetection detection = new PortDetection(rules);
        Decision decision = More.MORE;
        int length = 0;
        for (byte[] piece : pieces) {
            length += piece.length;
            buffer.limit(1 + length).position(1);
            Decision now = detection.decide(buffer);
            assertThat(buffer.position()).isEqualTo(1);
            assertThat(buffer.limit()).isEqualTo(1 + length);
            if (decision != More.MORE) {
                assertThat(now).isSameAs(decision);
            }
            decision = now;
        }
        return decision;
    }

    private static String name(Decision decision) {
        return decision instanceof Rule taken ? taken.rule().name() : decision.toString();
    }

    private static byte[][] singly(byte[] input) {
        byte[][] pieces = new byte[input.length][];
        for (int i = 0; i < input.length; i++) {
            pieces[i] = new byte[] {input[i]};
        }
        return pieces;
    }

    @ParameterizedTest(name = "{0} {index}")
    @MethodSource("clientsAndOrders")
    void rightRuleHoweverBytesAreSplit(String rule, byte[] client, List<PortRule> rules) {
        assertThat(name(decide(rules, client))).isEqualTo(rule);
        assertThat(name(decide(rules, singly(client)))).isEqualTo(rule);
        for (int at = 0; at <= client.length; at++) {
            byte[] start = Arrays.copyOf(client, at);
            assertThat(name(decide(rules, start))).as("cut to %s", at).isIn("MORE", rule);
            assertThat(name(decide(rules, start, Arrays.copyOfRange(client, at, client.length))))
                    .as("split at %s", at)
                    .isEqualTo(rule);
        }
    }

    @ParameterizedTest(name = "{0} {index}")
    @MethodSource("shortClientsAndOrders")
    void everyMutationIsAnsweredAlikeHoweverItIsSplit(String rule, byte[] client, List<PortRule> rules) {
        everyMutation(client, mutated -> {
            Decision whole = new PortDetection(rules).decide(ByteBuffer.wrap(mutated));
            PortDetection detection = new PortDetection(rules);
            Decision decision = More.MORE;
            for (int length = 1; length <= mutated.length && decision == More.MORE; length++) {
                decision = detection.decide(ByteBuffer.wrap(mutated, 0, length));
            }
            if (!decision.equals(whole)) {
                throw new AssertionError(decision + " byte by byte, at once " + whole);
            }
        });
    }

    private static Stream<Arguments> shortClientsAndOrders() throws IOException {
        List<PortRule> reversed = new ArrayList<>(RULES);
        Collections.reverse(reversed);
        return clientsAndOrders()
                .filter(arguments -> ((byte[]) arguments.get()[1]).length < 100)
                .filter(arguments -> arguments.get()[2] == RULES || arguments.get()[2].equals(reversed));
    }

    private static String taken(Consumer<PortBuilder> rules, String input) {
        PortBuilder port = new PortBuilder();
        rules.accept(port);
        Decision whole = decide(port.build().rules(), bytes(input));
        assertThat(decide(port.build().rules(), singly(bytes(input)))).isEqualTo(whole);
        return whole instanceof None ? "none" : name(whole);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET / HTTP/1.1\r\n",
                "G /",
                "GET /",
                "GET /\r\n",
                "GET http://a/ HTTP/1.0\r\n",
                "GET  / HTTP/1.1\r\n",
                "GET foo HTTP/1.1\r\n",
                "GET \u00e9 HTTP/1.1\r\n",
                "POST ?a=b c HTTP/1.1\r\n",
                "OPTIONS * HTTP/9.9\r\n",
                "CONNECT [::1]:443 HTTP/1.1\r\n",
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                "VERSION-CONTROL /a HTTP/1.1\r\n",
                "ABCDEFGHIJKLMNOPQRST /",
                "\r\nGET /",
                "\nGET /",
                "\n\nGET /"
            })
    void requestLineIsHttp(String input) {
        assertThat(taken(PortBuilder::http, input)).isEqualTo("http");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "get / HTTP/1.1\r\n",
                "Get / HTTP/1.1\r\n",
                " GET / HTTP/1.1\r\n",
                "\r\n\r\nGET / HTTP/1.1\r\n",
                "\r\n / HTTP/1.1\r\n",
                "-GET / HTTP/1.1\r\n",
                "GET\t/ HTTP/1.1\r\n",
                "GET\r\n",
                "GET \r\n",
                "GET\0/",
                "GET foo\r\nHTTP/1.1",
                "GET foo\tHTTP/1.1\r\n",
                "GET foo http/1.1\r\n",
                "ABCDEFGHIJKLMNOPQRSTU /",
                "ABCDEFGHIJKLMNOPQRSTU",
                "\u0080GET /",
                "OPTIONS rtsp://a.example/b RTSP/1.0\r\nCSeq: 1\r\n",
                "OPTIONS * RTSP/1.0\r\n",
                "INVITE sip:bob@biloxi.example.com SIP/2.0\r\n",
                "REGISTER sip:a.example SIP/2.0\r\n",
                "OPTIONS icap://a.example/b ICAP/1.0\r\n",
                "HELO a.example\r\n",
                "EHLO [192.0.2.1]\r\n",
                "NICK a\r\nUSER a 0 * :a\r\n",
                "CAP LS 302\r\n",
                "USER anonymous\r\n",
                "GET key\r\n",
                "PING\r\n",
                "*1\r\n$4\r\nPING\r\n",
                "AMQP\0\0\11\1",
                "CNXN\0\0\0\1",
                "CONNECT\naccept-version:1.2\n",
                "PROXY TCP4 192.0.2.1 127.0.0.1 4711 80\r\n",
                "SSH-2.0-x\r\n",
                "{\"a\": 1}",
                "<?xml version='1.0'?>"
            })
    void otherTextProtocolsAreNotHttp(String input) {
        assertThat(taken(PortBuilder::http, input)).isEqualTo("none");
    }

    @Test
    void requestLineIsSearchedForItsVersionWithinABound() {
        String target = "GET " + "a".repeat(1024 - "GET  HTTP/".length());
        assertThat(taken(PortBuilder::http, target + " HTTP/1.1\r\n")).isEqualTo("http");
        assertThat(taken(PortBuilder::http, target + "a HTTP/1.1\r\n")).isEqualTo("none");
        assertThat(taken(PortBuilder::http, "GET " + "a".repeat(1019))).isEqualTo("MORE");
        assertThat(taken(PortBuilder::http, "GET " + "a".repeat(1020))).isEqualTo("none");
        assertThat(taken(PortBuilder::http, "GET /" + "a".repeat(16 * 1024))).isEqualTo("http");
    }

    @ParameterizedTest
    @CsvSource({
        "'SSH-2.0', MORE",
        "'SSH-2.0-', ssh",
        "'SSH-1.99-', ssh",
        "'SSH-1.5-x', none",
        "'SSH-2.1-x', none",
        "'SSH-2.0_x', none",
        "'ssh-2.0-x', none",
        "' SSH-2.0-', none",
        "'S', MORE",
        "'T', none"
    })
    void bannerIsSsh(String input, String rule) {
        assertThat(taken(port -> port.ssh(TARGET), input)).isEqualTo(rule);
    }

    @ParameterizedTest
    @CsvSource({
        "05, MORE",
        "0501, MORE",
        "050100, socks5",
        "05020002, socks5",
        "05020002aa, socks5",
        "0500, none",
        "050200, MORE",
        "0502ff, none",
        "0502ff00, none",
        "04010050, none",
        "0503000102, socks5",
        "050180, socks5"
    })
    void greetingIsSocks5(String hex, String rule) {
        assertThat(takenHex(port -> port.socks5(TARGET), hex)).isEqualTo(rule);
    }

    @ParameterizedTest
    @CsvSource({
        "00, MORE",
        "000e, MORE",
        "000e38, openvpn",
        "002a38, openvpn",
        "00ff38, openvpn",
        "010038, none",
        "000d38, none",
        "000d, none",
        "000e39, none",
        "000e40, none",
        "000e50, none",
        "000e08, none",
        "0150, MORE",
        "015050, openvpn",
        "014f50, none",
        "04fe50, openvpn",
        "04ff50, none",
        "0500, none",
        "015038, none",
        "160301, none"
    })
    void hardResetIsOpenVpn(String hex, String rule) {
        assertThat(takenHex(port -> port.openVpn(TARGET), hex)).isEqualTo(rule);
    }

    @ParameterizedTest
    @CsvSource({
        "00, MORE",
        "0000, MORE",
        "0001, none",
        "0100, none",
        "00000008, MORE",
        "0000000804d2162f, postgresql",
        "0000000804d21630, postgresql",
        "0000000804d2162e, none",
        "0000000804d21631, none",
        "0000000904d2162f, none",
        "0000000800030000, none",
        "0000000804d3, none",
        "0000000900030000, postgresql",
        "0000271000030000, postgresql",
        "0000271100030000, none",
        "00002711, none",
        "000000170003000f, postgresql",
        "0000001000030000, postgresql",
        "0000001004d2162e, postgresql",
        "0000010c04d2162e, postgresql",
        "0000010d04d2162e, none",
        "0000000f04d2162e, none",
        "0000001700020000, none",
        "0000001700040000, none",
        "00000007, none",
        "0000010d04, none",
        "0000001004, MORE",
        "0000001000, MORE",
        "00000010000300, MORE",
        "00000010000400, none"
    })
    void startOfAConversationIsPostgreSql(String hex, String rule) {
        assertThat(takenHex(port -> port.postgreSql(TARGET), hex)).isEqualTo(rule);
    }

    @ParameterizedTest
    @CsvSource({
        "'PROXY ', MORE",
        "'PROXY UNKNOWN\r\n', proxy-header",
        "'PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n', proxy-header",
        "'PROXY TCP4 192.0.2.1 127.0.0.1 1 2', MORE",
        "'PROXY TCP4 192.0.2 127.0.0.1 1 2\r\n', none",
        "'PROXY / HTTP/1.1\r\n', none",
        "'GET / HTTP/1.1\r\n', none"
    })
    void headerOfTheProxyProtocol(String input, String rule) {
        String text = input.replace("\\r", "\r").replace("\\n", "\n");
        assertThat(taken(port -> port.proxyHeader(TARGET), text)).isEqualTo(rule);
    }

    @Test
    void bytesAnywhereAndOnlyTheBitsThatCount() {
        BytePattern pattern = BytePattern.of("16 0f").at(2).mask("ff f0");
        for (String[] answer : new String[][] {
            {"", "MORE"},
            {"ffff", "MORE"},
            {"ffff16", "MORE"},
            {"ffff1600", "x"},
            {"ffff160fff", "x"},
            {"ffff1610", "none"},
            {"ffff17", "none"}
        }) {
            assertThat(takenHex(port -> port.match("x", pattern, TARGET), answer[0]))
                    .as(answer[0])
                    .isEqualTo(answer[1]);
        }
        BytePattern last = BytePattern.of("ab".repeat(256)).at(4096);
        byte[] input = new byte[4096 + 256];
        Arrays.fill(input, (byte) 0xab);
        List<PortRule> rules =
                new PortBuilder().match("x", last, TARGET).build().rules();
        assertThat(name(decide(rules, input))).isEqualTo("x");
        assertThat(decide(rules, Arrays.copyOf(input, input.length - 1))).isEqualTo(More.MORE);
    }

    private static String takenHex(Consumer<PortBuilder> rules, String hex) {
        return taken(rules, new String(HexFormat.of().parseHex(hex), StandardCharsets.ISO_8859_1));
    }

    @Test
    void laterRuleNeverOvertakesAnEarlierOneThatNeedsMore() {
        BytePattern five = BytePattern.of("05");
        BytePattern late = BytePattern.of("ff").at(100);
        Consumer<PortBuilder> waits = port -> port.match("late", late, TARGET).match("five", five, TARGET);
        Consumer<PortBuilder> other = port -> port.match("five", five, TARGET).match("late", late, TARGET);
        String zeros = "\0".repeat(99);
        assertThat(taken(waits, "\5")).isEqualTo("MORE");
        assertThat(taken(waits, "\5" + zeros)).isEqualTo("MORE");
        assertThat(taken(waits, "\5" + zeros + "\u00ff")).isEqualTo("late");
        assertThat(taken(waits, "\5" + zeros + "\0")).isEqualTo("five");
        assertThat(taken(other, "\5")).isEqualTo("five");
        assertThat(taken(other, "\6" + zeros + "\u00ff")).isEqualTo("late");
    }

    @Test
    void rulesForServerNamesWaitForTheWholeHello() {
        byte[] hello = Hellos.with(serverName("b.example"));
        List<PortRule> rules = new PortBuilder()
                .tls(Sni.of("a.example"), TARGET)
                .match("record", BytePattern.of("16"), TARGET)
                .tls(Sni.any(), TARGET)
                .build()
                .rules();
        assertThat(decide(rules, Arrays.copyOf(hello, hello.length - 1))).isEqualTo(More.MORE);
        assertThat(name(decide(rules, hello))).isEqualTo("record");
    }

    @Test
    void whatIsDecidedKeepsTheHello() {
        Decision decision = decide(RULES, Hellos.with(serverName("DB.example.com"), protocols("x")));
        assertThat(decision).isInstanceOfSatisfying(Rule.class, taken -> {
            assertThat(requireNonNull(taken.hello()).serverName()).isEqualTo("db.example.com");
            assertThat(taken.hello().protocols()).containsExactly("x");
        });
        assertThat(decide(RULES, bytes("SSH-2.0-x")))
                .isInstanceOfSatisfying(
                        Rule.class, taken -> assertThat(taken.hello()).isNull());
    }

    @Test
    void helloThatNoRuleIsFor() {
        byte[] hello = Hellos.with(serverName("other.example"));
        assertThat(decide(RULES, hello)).isInstanceOfSatisfying(None.class, none -> {
            assertThat(none.reason()).isEqualTo("a ClientHello that no rule is for");
            assertThat(requireNonNull(none.hello()).serverName()).isEqualTo("other.example");
        });
        assertThat(decide(new PortBuilder().http().build().rules(), hello))
                .as("no rule is for TLS")
                .isEqualTo(new None("bytes that no rule is for", null));
    }

    @Test
    void clientThatNamesAHostThatCannotBeIsNotOneThatNamesNone() {
        Consumer<PortBuilder> rules = port -> port.tls(Sni.none(), TARGET).tls(Sni.any(), "127.0.0.1:2");
        assertThat(taken(rules, new String(Hellos.with(serverName("a b")), StandardCharsets.ISO_8859_1)))
                .isEqualTo("tls");
        assertThat(taken(rules, new String(Hellos.with(padding(1)), StandardCharsets.ISO_8859_1)))
                .isEqualTo("tls:no-sni");
    }

    @Test
    void malformedHelloIsAnsweredByAnAlertUnlessBytesOfARuleAreMeant() {
        byte[] second = {22, 3, 1, 0, 5, 2};
        assertThat(decide(RULES, second))
                .isEqualTo(new Decision.Malformed(
                        Alerts.UNEXPECTED_MESSAGE, "another message in place of the ClientHello"));
        assertThat(decide(new PortBuilder().http().build().rules(), second)).isInstanceOf(None.class);
        BytePattern mine = BytePattern.of("160301000502");
        assertThat(takenHex(port -> port.https().match("mine", mine, TARGET), "160301000502"))
                .isEqualTo("mine");
        assertThat(takenHex(port -> port.https().match("mine", BytePattern.of("16"), TARGET), "1602"))
                .isEqualTo("mine");
    }

    @Test
    void agentsAndClientsOfTunnelsAreTold() {
        TunnelServer tunnels = TunnelServer.agents(Path.of("agents"));
        List<PortRule> rules =
                new PortBuilder().tunnels(tunnels).https().http().build().rules();
        Predicate<Peeked.ClientHello> announced = hello -> "inner.example".equals(hello.serverName());
        byte[] mark = TunnelMark.data();
        byte[] control = Hellos.with(serverName("inner.example"), protocols(TunnelMark.PROTOCOL));
        byte[] client = Hellos.with(serverName("INNER.example"));
        byte[] other = Hellos.with(serverName("outer.example"), protocols("h2"));
        Map<byte[], String> starts = Map.of(
                joined(mark, new byte[9]),
                "tunnel-agents",
                control,
                "tunnel-agents",
                client,
                "tunnels",
                other,
                "https");
        starts.forEach((start, rule) -> {
            PortDetection bytewise = new PortDetection(rules, announced);
            for (int length = 1; length <= start.length; length++) {
                ByteBuffer bytes = ByteBuffer.wrap(start, 0, length);
                Decision once = new PortDetection(rules, announced).decide(bytes);
                assertThat(bytewise.decide(bytes)).isEqualTo(once);
                assertThat(name(once)).as("%s bytes", length).isIn("MORE", rule);
            }
            assertThat(name(bytewise.decide(ByteBuffer.wrap(start)))).isEqualTo(rule);
        });
        assertThat(new PortDetection(rules, announced).decide(ByteBuffer.wrap(new byte[] {mark[0], mark[1], 'x'})))
                .isInstanceOf(None.class);
    }

    @Test
    void nothingIsDecidedWithoutAByte() {
        assertThat(decide(List.of(), new byte[0])).isEqualTo(More.MORE);
        assertThat(decide(List.of(), new byte[1])).isEqualTo(new None("bytes that no rule is for", null));
    }

    @Test
    void everyClientIsDecidedWithinTheBound() {
        byte[] slow = new byte[PortDetection.MAX_BYTES];
        for (int at = 0; at < slow.length; at++) {
            // records of one byte, of a hello that never ends
            slow[at] = new byte[] {22, 3, 1, 0, 1, at == 17 ? (byte) 0x3f : at == 5 ? (byte) 1 : 0}[at % 6];
        }
        assertThat(decide(RULES, Arrays.copyOf(slow, slow.length - 1))).isEqualTo(More.MORE);
        assertThat(decide(RULES, joined(slow, new byte[1]))).isInstanceOf(Decision.Malformed.class);
        for (String start : List.of(
                "",
                "SSH-2.0",
                "GET ",
                "\5\377",
                "\1\150",
                "\0\0\0\10",
                "PROXY ",
                "\r\n\r\n\0\r\nQUIT\n\41\21\u000f\u00f0")) {
            List<PortRule> rules = new ArrayList<>(RULES);
            rules.add(new PortBuilder()
                    .match("last", BytePattern.of("ff".repeat(256)).at(4096), TARGET)
                    .build()
                    .rules()
                    .get(0));
            for (byte filler : new byte[] {'a', 0}) {
                byte[] rest = new byte[4096 + 256];
                Arrays.fill(rest, filler);
                assertThat(decide(rules, joined(bytes(start), rest))).as(start).isNotEqualTo(More.MORE);
            }
        }
    }

    @Test
    void longHelloInASingleSegmentIsRead() {
        byte[] hello = Hellos.with(serverName("db.example.com"), padding(16_000));
        assertThat(name(decide(RULES, hello))).isEqualTo("tls:db.example.com");
        assertThat(name(decide(RULES, joined(hello, new byte[20_000])))).isEqualTo("tls:db.example.com");
        assertThat(name(decide(
                        RULES, singly(Hellos.inRecords(Hellos.with(serverName("db.example.com"), padding(2000)), 1)))))
                .isEqualTo("tls:db.example.com");
    }
}
