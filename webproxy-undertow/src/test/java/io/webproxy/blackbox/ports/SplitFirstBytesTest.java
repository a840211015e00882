package io.webproxy.blackbox.ports;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyServer;
import io.webproxy.port.InsideBuilder;
import io.webproxy.port.PortBuilder;
import io.webproxy.port.Sni;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.ByteInputs;
import io.webproxy.testing.ClientStarts;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Over sockets: however the first bytes of a client arrive, they reach the target of its rule as they are. */
@ExtendWith(LeakCheck.class)
class SplitFirstBytesTest {
    /** Below this many bytes, a client is split at every place; else at some. */
    private static final int SHORT = 100;

    private static final int STEP = 61;

    private final Map<String, RawUpstream> targets = new HashMap<>();

    /** Says its name, and then what it gets. */
    private String target(String name) {
        try {
            RawUpstream target = RawUpstream.start(client -> {
                client.send(ByteInputs.bytes(name + "\r\n"));
                byte[] some = new byte[4096];
                for (int count = client.read(some, some.length); count >= 0; count = client.read(some, some.length)) {
                    client.send(Arrays.copyOf(some, count));
                }
            });
            targets.put(name, target);
            return "127.0.0.1:" + target.port();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @AfterEach
    void stopTargets() throws IOException {
        for (RawUpstream target : targets.values()) {
            target.close();
        }
    }

    private static ProxyServer proxy(TlsProvider provider, Consumer<PortBuilder> rules) {
        return ProxyServer.builder()
                .bind("127.0.0.1")
                .tuning(t -> t.withIoThreads(2))
                .drainTime(Duration.ZERO)
                .jdkTls(provider == TlsProvider.JDK)
                .certificates(TestProxy.certificates())
                .listen(0, rules)
                .start();
    }

    private static int port(ProxyServer proxy) {
        return proxy.endpoints().get(0).address().getPort();
    }

    private static void assertAnswer(RawConnection client, String expected, byte[]... pieces) throws IOException {
        try (client) {
            for (byte[] piece : pieces) {
                client.send(piece);
            }
            assertThat(client.read(expected.length()))
                    .as(pieces.length + " pieces, of " + pieces[0].length)
                    .isEqualTo(expected);
        }
    }

    private static byte[][] singly(byte[] input) {
        byte[][] pieces = new byte[input.length][];
        for (int i = 0; i < input.length; i++) {
            pieces[i] = new byte[] {input[i]};
        }
        return pieces;
    }

    private static String expected(String rule, byte[] client) {
        return rule + "\r\n" + new String(client, StandardCharsets.ISO_8859_1);
    }

    private static Stream<Arguments> clients() throws IOException {
        return ClientStarts.all().entrySet().stream().map(client -> Arguments.of(client.getValue(), client.getKey()));
    }

    @ParameterizedTest(name = "{0} {index}")
    @MethodSource("clients")
    void relayedAsTheyAre(String rule, byte[] client) throws IOException {
        try (ProxyServer proxy = ProxyServer.builder()
                .bind("127.0.0.1")
                .tuning(t -> t.withIoThreads(2))
                .drainTime(Duration.ZERO)
                .listen(0, port -> ClientStarts.rules(port, this::target))
                .start()) {
            String expected = expected(rule, client);
            assertAnswer(RawConnection.open(port(proxy)), expected, singly(client));
            for (int at = 1; at < client.length; at += client.length < SHORT ? 1 : STEP) {
                byte[] start = Arrays.copyOf(client, at);
                byte[] rest = Arrays.copyOfRange(client, at, client.length);
                assertAnswer(RawConnection.open(port(proxy)), expected, start, rest);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    void relayedFromTheInsideOfTlsAsTheyAre(TlsProvider provider) throws IOException {
        Set<String> inside = Set.of("ssh", "http", "socks5", "openvpn", "postgresql");
        try (ProxyServer proxy = proxy(provider, port -> port.tls(Sni.any(), this::inside))) {
            for (Map.Entry<byte[], String> client : ClientStarts.all().entrySet()) {
                if (inside.contains(client.getValue())) {
                    byte[] bytes = client.getKey();
                    String expected = expected(client.getValue(), bytes);
                    assertAnswer(tls(proxy), expected, bytes);
                    assertAnswer(
                            tls(proxy), expected, Arrays.copyOf(bytes, 1), Arrays.copyOfRange(bytes, 1, bytes.length));
                    if (bytes.length < SHORT) {
                        assertAnswer(tls(proxy), expected, singly(bytes));
                    }
                }
            }
        }
    }

    private void inside(InsideBuilder rules) {
        rules.ssh(target("ssh"))
                .http(target("http"))
                .socks5(target("socks5"))
                .openVpn(target("openvpn"))
                .postgreSql(target("postgresql"));
    }

    private static RawConnection tls(ProxyServer proxy) throws IOException {
        return RawConnection.openTls(port(proxy), TestProxy.trust().sslSocketFactory());
    }
}
