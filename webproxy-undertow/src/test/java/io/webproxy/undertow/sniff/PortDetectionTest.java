package io.webproxy.undertow.sniff;

import static io.webproxy.testing.ByteInputs.bytes;
import static io.webproxy.testing.Hellos.joined;
import static io.webproxy.testing.Hellos.protocols;
import static io.webproxy.testing.Hellos.serverName;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.port.BytePattern;
import io.webproxy.port.PortBuilder;
import io.webproxy.port.PortRule;
import io.webproxy.port.Sni;
import io.webproxy.testing.Hellos;
import io.webproxy.undertow.sniff.Decision.More;
import io.webproxy.undertow.sniff.Decision.Rule;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PortDetectionTest {
    private static final String TARGET = "127.0.0.1:1";

    /** One rule of each kind; no two of them match the same bytes. */
    private static final List<PortRule> RULES = new PortBuilder()
            .ssh(TARGET)
            .tls(Sni.of("www.example.com").alpn("h2"), TARGET)
            .tls(Sni.of("db.example.com"), TARGET)
            .tls(Sni.of("*.inner.example.com"), TARGET)
            .tls(Sni.none(), TARGET)
            .http()
            .socks5(TARGET)
            .openVpn(TARGET)
            .postgreSql(TARGET)
            .proxyHeader(TARGET)
            .match("late", BytePattern.of("be ef").at(1).mask("ff 0f"), TARGET)
            .build()
            .rules();

    /** The first bytes of clients, and the rule that takes them. */
    private static Map<byte[], String> clients() throws IOException {
        Map<byte[], String> clients = new LinkedHashMap<>();
        clients.put(bytes("SSH-2.0-OpenSSH_10.0p2 Debian-7\r\n"), "ssh");
        clients.put(bytes("SSH-1.99-x\n"), "ssh");
        try (InputStream recorded =
                PortDetectionTest.class.getResourceAsStream("SniffFuzzTestInputs/clientHello/chromium")) {
            clients.put(requireNonNull(recorded).readAllBytes(), "tls:www.example.com/h2");
        }
        clients.put(Hellos.with(serverName("DB.Example.com.")), "tls:db.example.com");
        clients.put(Hellos.inRecords(Hellos.with(serverName("a.inner.example.com")), 3), "tls:*.inner.example.com");
        clients.put(Hellos.with(protocols("h2")), "tls:no-sni");
        clients.put(bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "http");
        clients.put(bytes("\r\nPROPFIND http://a/ HTTP/1.1\r\n"), "http");
        clients.put(bytes("OPTIONS * HTTP/1.1\r\n"), "http");
        clients.put(bytes("CONNECT a.example:443 HTTP/1.1\r\n"), "http");
        clients.put(bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "http");
        clients.put(bytes("\5\2\0\2"), "socks5");
        clients.put(bytes("\5\1\0"), "socks5");
        clients.put(bytes("\0\16\70abcdefgh\0\0\0\0\0"), "openvpn");
        clients.put(joined(bytes("\1\150\120"), new byte[0x168 - 1]), "openvpn");
        clients.put(bytes("\0\0\0\10\4\u00d2\26\57"), "postgresql");
        clients.put(bytes("\0\0\0\10\4\u00d2\26\60"), "postgresql");
        clients.put(bytes("\0\0\0\20\4\u00d2\26\56\0\0\0\1\1\2\3\4"), "postgresql");
        clients.put(bytes("\0\0\0\21\0\3\0\0user\0a\0\0\0"), "postgresql");
        clients.put(bytes("\0\0\0\21\0\3\0\2user\0a\0\0\0"), "postgresql");
        clients.put(bytes("PROXY TCP4 192.0.2.1 127.0.0.1 4711 80\r\n"), "proxy-header");
        clients.put(bytes("\r\n\r\n\0\r\nQUIT\n\41\21\0\14\u00c0\0\2\1\u007f\0\0\1\22\147\0\120"), "proxy-header");
        clients.put(bytes("a\u00be\u00bfrest"), "late");
        return clients;
    }

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
        clients().forEach((client, rule) -> orders.forEach(order -> all.add(Arguments.of(rule, client, order))));
        return all.build();
    }

    /** Decides whenever a piece has come, behind a byte that has been read, and checks that nothing is consumed or changed. */
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
}
