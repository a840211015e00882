package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.samples.demo.DemoService;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The command {@code port}, with clients of each protocol. */
@ExtendWith(LeakCheck.class)
@Timeout(60)
class CliPortServeTest {
    private static final List<String> PORT = List.of("port", "--listen", "0", "--bind", "127.0.0.1");

    @TempDir
    Path directory;

    private TestIdentity identity;
    private OkHttpClient client;
    private RawUpstream target;
    private final BlockingQueue<InetAddress> sources = new LinkedBlockingQueue<>();

    /** Answers every line with the word {@code got} and the line, until the client ends. */
    @BeforeEach
    void open() throws IOException {
        identity = TestIdentity.in(directory);
        client = identity.newClient().newBuilder().followRedirects(false).build();
        target = RawUpstream.start(c -> {
            sources.add(c.socket().getInetAddress());
            for (String line = c.readLine(); !line.isEmpty(); line = c.readLine()) {
                c.send("got " + line);
            }
        });
    }

    @AfterEach
    void close() throws IOException {
        TestProxy.close(client);
        target.close();
    }

    private Served start(String... options) {
        List<String> arguments = new ArrayList<>(PORT);
        for (String option : options) {
            arguments.add(option.replace("TARGET", "127.0.0.1:" + target.port()));
        }
        return Served.start(arguments.toArray(String[]::new));
    }

    private String[] withCertificate(String... options) {
        List<String> all = new ArrayList<>(List.of(options));
        all.addAll(List.of(
                "--cert", identity.cert().toString(), "--key", identity.key().toString()));
        return all.toArray(String[]::new);
    }

    private static String firstLine(Served served, String sent) throws IOException {
        try (RawConnection connection = RawConnection.open(served.port())) {
            return connection.send(sent).readLine().strip();
        }
    }

    @Test
    void protocolsAreToldApartOnOnePort() throws Exception {
        try (DemoService service = DemoService.start();
                Served port = start(withCertificate(
                        "--ssh",
                        "TARGET",
                        "--match",
                        "x:5a5a=TARGET",
                        "--otherwise",
                        "TARGET",
                        "--http",
                        "here",
                        "--tls",
                        "here",
                        "--inside-ssh",
                        "inside.example=TARGET",
                        "--internal-port",
                        Integer.toString(service.port())))) {
            assertThat(firstLine(port, "SSH-2.0-x¶")).isEqualTo("got SSH-2.0-x");
            assertThat(firstLine(port, "ZZ¶")).isEqualTo("got ZZ");
            assertThat(firstLine(port, "hm?¶")).isEqualTo("got hm?");
            assertThat(get("http://localhost:" + port.port() + "/api/hello"))
                    .contains("\"X-Forwarded-Proto\":\"http\"");
            assertThat(get("https://localhost:" + port.port() + "/api/hello"))
                    .contains("\"X-Forwarded-Proto\":\"https\"");
            try (RawConnection inside =
                    RawConnection.openTlsFor("inside.example", port.port(), client.sslSocketFactory())) {
                assertThat(inside.send("SSH-2.0-y¶").readLine().strip()).isEqualTo("got SSH-2.0-y");
            }
        }
    }

    @Test
    void httpIsRedirectedToTheSamePort() throws Exception {
        try (Served port =
                start(withCertificate("--http", "redirect", "--tls", "here", "--to", "http://127.0.0.1:9"))) {
            HttpUrl clear = HttpUrl.get("http://localhost:" + port.port() + "/a?b");
            try (Response response =
                    client.newCall(new Request.Builder().url(clear).build()).execute()) {
                assertThat(response.header("Location")).isEqualTo("https://localhost:" + port.port() + "/a?b");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "http/1.1"})
    void httpWithinTlsThatIsForSshIsNotFoundWithoutARoute(String alpn) throws Exception {
        String[] offered = alpn.isEmpty() ? new String[0] : new String[] {alpn};
        try (Served port = start(withCertificate("--inside-ssh", "inside.example=TARGET"));
                RawConnection inside =
                        RawConnection.openTlsFor("inside.example", port.port(), client.sslSocketFactory(), offered)) {
            inside.send("GET / HTTP/1.1¶Host: localhost¶Connection: close¶¶");
            assertThat(inside.readHead()).startsWith("HTTP/1.1 404 ");
        }
    }

    @Test
    void targetIsToldTheClientByTheProxyProtocol() throws Exception {
        try (Served port = start("--otherwise", "TARGET", "--proxy-protocol", "v1");
                RawConnection connection = RawConnection.open(port.port())) {
            connection.send("hm?¶");
            assertThat(connection.readLine().strip())
                    .isEqualTo("got PROXY TCP4 127.0.0.1 127.0.0.1 "
                            + connection.socket().getLocalPort() + " " + port.port());
            assertThat(connection.readLine().strip()).isEqualTo("got hm?");
        }
    }

    @Test
    void relayLogSaysWhoTheLoopbackSourceIsAndWhoCameTooOften() throws Exception {
        Path log = directory.resolve("relay.log");
        try (Served port =
                start("--ssh", "TARGET", "--loopback-source", "--new-per-minute", "1", "--relay-log", log.toString())) {
            assertThat(firstLine(port, "SSH-2.0-x¶")).isEqualTo("got SSH-2.0-x");
            try (RawConnection refused = RawConnection.open(port.port())) {
                assertThat(refused.send("SSH-2.0-x¶").end()).isIn("end", "reset");
            }
            await().until(() -> Files.readAllLines(log).size() == 2);
        }
        String source = sources.poll(30, TimeUnit.SECONDS).getHostAddress();
        assertThat(source).startsWith("127.").isNotEqualTo("127.0.0.1");
        assertThat(Files.readAllLines(log))
                .satisfiesExactlyInAnyOrder(
                        line -> assertThat(line)
                                .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}(Z|[+-]\\d\\d:\\d\\d)"
                                        + " client=127\\.0\\.0\\.1:\\d+ endpoint=\\S+ rule=ssh source="
                                        + source.replace(".", "\\.")
                                        + ":\\d+ target=127\\.0\\.0\\.1:" + target.port()
                                        + " sent=11 received=15 seconds=\\d+\\.\\d{3} end=closed"),
                        line -> assertThat(line).endsWith(" end=refused-rate"));
    }

    @Test
    void clientThatIsSilentGetsTheTargetOfOnTimeout() throws Exception {
        try (RawUpstream greeting = RawUpstream.start(c -> {
                    c.send("SSH-2.0-server¶");
                    c.readLine();
                });
                Served port = start(
                        "--ssh", "TARGET", "--on-timeout", "127.0.0.1:" + greeting.port(), "--detect-time", "50ms");
                RawConnection connection = RawConnection.open(port.port())) {
            assertThat(connection.readLine().strip()).isEqualTo("SSH-2.0-server");
        }
    }

    @Test
    void relayIsCutWhenTheDrainTimeIsOver() throws Exception {
        try (Served port = start("--ssh", "TARGET", "--drain-time", "0s");
                RawConnection connection = RawConnection.open(port.port())) {
            assertThat(connection.send("SSH-2.0-x¶").readLine()).startsWith("got ");
            long start = System.nanoTime();
            assertThat(port.stop()).isZero();
            assertThat(System.nanoTime() - start).isLessThan(25_000_000_000L);
            assertThat(connection.end()).isEqualTo("reset");
        }
    }

    @Test
    void serviceInFrontNamesTheClient() throws Exception {
        Path log = directory.resolve("relay.log");
        try (Served port = start(
                "--ssh",
                "TARGET",
                "--accept-proxy",
                "required",
                "--trusted-proxy",
                "127.0.0.1",
                "--relay-log",
                log.toString())) {
            assertThat(firstLine(port, "PROXY TCP4 192.0.2.7 192.0.2.1 4711 22¶SSH-2.0-x¶"))
                    .isEqualTo("got SSH-2.0-x");
            await().until(() -> Files.readAllLines(log).size() == 1);
        }
        assertThat(Files.readString(log)).contains(" client=192.0.2.7:4711 ");
    }

    private String get(String url) throws IOException {
        try (Response response =
                client.newCall(new Request.Builder().url(url).build()).execute()) {
            return response.body().string();
        }
    }
}
