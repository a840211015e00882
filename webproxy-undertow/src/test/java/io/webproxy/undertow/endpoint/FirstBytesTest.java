package io.webproxy.undertow.endpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.webproxy.http.HttpLimits;
import io.webproxy.testing.Hellos;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Peers;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.TestProxy;
import java.io.ByteArrayOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(LeakCheck.class)
class FirstBytesTest {
    private static final Duration LIMIT = Duration.ofSeconds(2);
    private static final byte[] HELLO = Hellos.with(Hellos.serverName("localhost"), Hellos.padding(1000));
    private static final String REQUEST = "GET / HTTP/1.1¶Host: localhost¶Connection: close¶¶";

    private RawUpstream upstream;

    @BeforeEach
    void startUpstream() throws IOException {
        upstream = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
    }

    @AfterEach
    void stopUpstream() throws IOException {
        upstream.close();
    }

    private TestProxy proxy(Front front, int bufferSize) {
        return TestProxy.start(
                front,
                config -> config.forward(upstream.uri())
                        .tuning(t -> t.withBufferSize(bufferSize)
                                .withHttp(HttpLimits.defaults().withHeadTime(LIMIT))));
    }

    /** Sends what a client says first in another form: each of the arrays by itself. */
    private static final class ShapedSocket extends Socket {
        private final UnaryOperator<byte[]> shape;
        private final int piece;

        ShapedSocket(int port, UnaryOperator<byte[]> shape, int piece) throws IOException {
            super(InetAddress.getLoopbackAddress(), port);
            this.shape = shape;
            this.piece = piece;
            setTcpNoDelay(true);
        }

        @Override
        public OutputStream getOutputStream() throws IOException {
            return new FilterOutputStream(super.getOutputStream()) {
                private final ByteArrayOutputStream first = new ByteArrayOutputStream();
                private boolean sent;

                @Override
                public void write(byte[] bytes, int offset, int length) throws IOException {
                    if (sent) {
                        out.write(bytes, offset, length);
                    } else {
                        first.write(bytes, offset, length);
                    }
                }

                @Override
                public void flush() throws IOException {
                    if (!sent) {
                        sent = true;
                        byte[] shaped = shape.apply(first.toByteArray());
                        for (int at = 0; at < shaped.length; at += piece) {
                            out.write(shaped, at, Math.min(piece, shaped.length - at));
                            out.flush();
                        }
                    }
                    out.flush();
                }
            };
        }
    }

    /** A request over TLS, whose hello arrives in another form. */
    private static String answer(TestProxy proxy, String version, int names, UnaryOperator<byte[]> shape, int piece)
            throws IOException {
        ShapedSocket shaped = new ShapedSocket(proxy.port(), shape, piece);
        try (SSLSocket tls = (SSLSocket)
                TestProxy.trust().sslSocketFactory().createSocket(shaped, "localhost", proxy.port(), true)) {
            SSLParameters parameters = tls.getSSLParameters();
            parameters.setProtocols(new String[] {version});
            // what makes a hello long
            parameters.setApplicationProtocols(Stream.concat(
                            IntStream.range(0, names).mapToObj(i -> "x".repeat(200) + i), Stream.of("http/1.1"))
                    .toArray(String[]::new));
            tls.setSSLParameters(parameters);
            tls.startHandshake();
            assertThat(tls.getApplicationProtocol()).isEqualTo("http/1.1");
            return new RawConnection(tls).send(REQUEST).readResponse();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1_TLS", "H1_TLS_JDK"})
    void helloMayComeInAnyForm(Front front) throws IOException {
        for (int bufferSize : new int[] {4096, 16384}) {
            try (TestProxy proxy = proxy(front, bufferSize)) {
                for (String version : List.of("TLSv1.2", "TLSv1.3")) {
                    UnaryOperator<byte[]> asItIs = UnaryOperator.identity();
                    assertThat(answer(proxy, version, 0, asItIs, 1 << 20)).endsWith("ok");
                    assertThat(answer(proxy, version, 0, asItIs, 7)).endsWith("ok");
                    // longer than the pooled buffer
                    assertThat(answer(proxy, version, 30, asItIs, 1 << 20)).endsWith("ok");
                    assertThat(answer(proxy, version, 60, asItIs, 999)).endsWith("ok");
                    assertThat(answer(proxy, version, 0, hello -> Hellos.inRecords(hello, 60), 50))
                            .endsWith("ok");
                    assertThat(answer(proxy, version, 60, hello -> Hellos.inRecords(hello, 1000), 1 << 20))
                            .endsWith("ok");
                    // longer, with its records' headers, than any buffer
                    assertThat(answer(proxy, version, 76, hello -> Hellos.inRecords(hello, 10), 1 << 20))
                            .endsWith("ok");
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1_TLS", "H1_TLS_JDK"})
    void stalledHelloCostsNoEngineAndEndsAtTheLimit(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, 4096)) {
            long before = descriptors();
            List<RawConnection> stalled = new ArrayList<>();
            try {
                for (int i = 0; i < 20; i++) {
                    // between nothing at all and all but a byte
                    int length = i * (HELLO.length - 1) / 19;
                    stalled.add(RawConnection.open(proxy.port()).send(Arrays.copyOf(HELLO, length)));
                }
                // both ends of each; an engine of Conscrypt would have two more
                await().until(() -> descriptors() >= before + 30);
                await().during(LIMIT.dividedBy(10)).until(() -> descriptors() < before + 50);
                for (RawConnection connection : stalled) {
                    assertThat(connection.end()).isEqualTo("end");
                }
            } finally {
                for (RawConnection connection : stalled) {
                    connection.close();
                }
            }
        }
    }

    private static long descriptors() throws IOException {
        Path all = Path.of("/proc/self/fd");
        assumeTrue(Files.isDirectory(all), "counted on Linux only");
        try (Stream<Path> each = Files.list(all)) {
            return each.count();
        }
    }

    @Test
    void helloByteByByteEndsAtTheLimit() throws Exception {
        try (TestProxy proxy = proxy(Front.H1_TLS, 4096);
                RawConnection slow = RawConnection.open(proxy.port())) {
            Thread trickle = new Thread(() -> {
                try {
                    for (byte b : HELLO) {
                        RawConnection.pace(Duration.ofMillis(20));
                        slow.send(new byte[] {b});
                    }
                } catch (IOException e) {
                    // cut, as it should be
                }
            });
            trickle.start();
            assertThat(slow.end()).isIn("end", "reset");
            trickle.join(30_000);
            assertThat(trickle.isAlive()).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1_TLS", "H1_TLS_JDK"})
    void malformedHelloGetsAnAlert(Front front) throws Exception {
        byte[] undecodable = HELLO.clone();
        undecodable[43] = 99;
        byte[] twice = Hellos.with(Hellos.padding(1), Hellos.padding(1));
        try (TestProxy proxy = proxy(front, 4096)) {
            assertThat(answered(proxy, undecodable)).containsExactly(21, 3, 3, 0, 2, 2, 50);
            assertThat(answered(proxy, twice)).containsExactly(21, 3, 3, 0, 2, 2, 47);
            // a ServerHello
            assertThat(answered(proxy, new byte[] {22, 3, 3, 0, 4, 2, 0, 0, 0})).containsExactly(21, 3, 3, 0, 2, 2, 10);
            // as SSL 2.0 has it: not TLS at all
            assertThat(answered(proxy, new byte[] {(byte) 0x80, 46, 1, 3, 1, 0, 3}))
                    .isEmpty();
        }
    }

    private static byte[] answered(TestProxy proxy, byte[] sent) throws IOException {
        try (RawConnection connection = RawConnection.open(proxy.port())) {
            return Hellos.ascii(connection.send(sent).readAll());
        }
    }

    /** RFC 7301 section 3.2. */
    @ParameterizedTest
    @EnumSource(names = {"H1_TLS", "H1_TLS_JDK"})
    void clientThatOffersNoProtocolOfOursIsToldSo(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, 4096)) {
            for (String[] offered : new String[][] {
                {"h3"}, {"acme-tls/1"}, {"acme-tls/1", "ftp"}, {"H2", "HTTP/1.1"}, {"spdy/3", "h2c", "h3", "http/0.9"}
            }) {
                assertThat(answered(proxy, Hellos.with(Hellos.serverName("localhost"), Hellos.protocols(offered))))
                        .as(String.join(",", offered))
                        .containsExactly(21, 3, 3, 0, 2, 2, 120);
            }
            for (String version : List.of("-tls1_2", "-tls1_3")) {
                assertThat(openssl(proxy, version, "-alpn", "h3,ftp").stderr())
                        .contains("alert no application protocol")
                        .contains("SSL alert number 120");
                for (String[] each : new String[][] {
                    {"h3,h2", "h2"}, {"h3,http/1.1", "http/1.1"}, {"acme-tls/1,h2", "h2"}, {"http/1.0", "http/1.0"}
                }) {
                    assertThat(openssl(proxy, version, "-alpn", each[0]).stdout())
                            .contains("ALPN protocol: " + each[1] + "\n");
                }
                assertThat(openssl(proxy, version).stdout()).contains("No ALPN negotiated");
            }
        }
    }

    @Test
    void clientWithoutAlpnSpeaksHttp1() throws Exception {
        try (TestProxy proxy = proxy(Front.H1_TLS, 4096)) {
            for (String[] offered : new String[][] {{}, {"http/1.0"}, {"h3", "http/1.1"}}) {
                try (RawConnection client =
                        RawConnection.openTls(proxy.port(), TestProxy.trust().sslSocketFactory(), offered)) {
                    assertThat(client.send(REQUEST).readResponse()).endsWith("ok");
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1_TLS", "H1_TLS_JDK"})
    void clientOfOldTlsIsToldSo(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, 16384)) {
            for (String version : List.of("-tls1_1", "-tls1")) {
                assertThat(openssl(proxy, version, "-cipher", "ALL:@SECLEVEL=0").stderr())
                        .contains("alert protocol version")
                        .contains("SSL alert number 70");
            }
        }
    }

    @Test
    void secondHelloGoesToTheEngine() throws Exception {
        try (TestProxy proxy = proxy(Front.H1_TLS, 16384)) {
            // a key share of a group that Conscrypt doesn't have comes first
            String said = openssl(proxy, "-tls1_3", "-groups", "ffdhe2048:X25519", "-msg")
                    .stdout();
            assertThat(said.split("ClientHello", -1)).hasSize(3);
            assertThat(said).contains("Cipher is TLS_AES_");
        }
    }

    private static Peers.Outcome openssl(TestProxy proxy, String... more) throws Exception {
        List<String> command = new ArrayList<>(
                List.of("openssl", "s_client", "-connect", "127.0.0.1:" + proxy.port(), "-servername", "localhost"));
        command.addAll(List.of(more));
        return Peers.run(Duration.ofSeconds(10), command.toArray(new String[0]));
    }
}
