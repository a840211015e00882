package io.webproxy.blackbox.upstreams;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.route.Upstream;
import io.webproxy.testing.FreePorts;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Peers;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.tls.TrustStore;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverBothVersions;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLSocket;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Upstreams that are told by the PROXY protocol who the client is. */
@ExtendWith(LeakCheck.class)
class ProxyHeaderOutTest {
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";

    private static int get(TestProxy proxy, String... fields) throws IOException {
        try (Response response = proxy.client()
                .newCall(new Request.Builder()
                        .url(proxy.url("/"))
                        .headers(okhttp3.Headers.of(fields))
                        .build())
                .execute()) {
            return response.code();
        }
    }

    @OverBothVersions
    void eachExchangeHasAConnectionThatBeginsWithItsClient(Front front) throws Exception {
        List<String> lines = new CopyOnWriteArrayList<>();
        List<String> heads = new CopyOnWriteArrayList<>();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    lines.add(c.readLine());
                    for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                        heads.add(head);
                        c.send(OK);
                    }
                });
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.route(r -> r.forward(Upstream.of(upstream.uri()).withProxyProtocol(1)))
                                .trustedProxies("127.0.0.1"))) {
            assertThat(get(proxy, "X-Forwarded-For", "203.0.113.7")).isEqualTo(200);
            assertThat(get(proxy, "X-Forwarded-For", "2001:db8::1")).isEqualTo(200);
            assertThat(get(proxy, "X-Forwarded-For", "[2001:db8::1")).isEqualTo(200);
            assertThat(lines)
                    .as("the address that the fields have")
                    .hasSize(3)
                    .satisfiesExactly(
                            line -> assertThat(line)
                                    .isEqualTo("PROXY TCP4 203.0.113.7 127.0.0.1 0 " + proxy.port() + "\r\n"),
                            line -> assertThat(line)
                                    .isEqualTo("PROXY TCP6 2001:db8::1 ::ffff:127.0.0.1 0 " + proxy.port() + "\r\n"),
                            line -> assertThat(line)
                                    .matches("PROXY TCP4 127\\.0\\.0\\.1 127\\.0\\.0\\.1 [1-9][0-9]+ " + proxy.port()
                                            + "\r\n"));
            assertThat(heads.get(0)).containsIgnoringCase("x-real-ip: 203.0.113.7\r\n");
            assertThat(proxy.server().status().upstreams().values())
                    .allSatisfy(pool -> assertThat(pool.idle()).isZero());
        }
    }

    @Test
    void headerComesBeforeTls() throws Exception {
        BlockingQueue<byte[]> headers = new LinkedBlockingQueue<>();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Path root = Files.createTempFile("webproxy", ".pem");
        Files.writeString(root, TestProxy.rootPem());
        try (ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            Thread thread = new Thread(
                    () -> {
                        try (java.net.Socket plain = server.accept()) {
                            headers.add(plain.getInputStream().readNBytes(28));
                            SSLSocket tls = (SSLSocket) TestProxy.identity()
                                    .sslSocketFactory()
                                    .createSocket(plain, "localhost", server.getLocalPort(), true);
                            tls.setUseClientMode(false);
                            RawConnection connection = new RawConnection(tls);
                            connection.readHead();
                            connection.send(OK);
                            connection.end();
                        } catch (IOException e) {
                            failure.set(e);
                        }
                    },
                    "test-upstream");
            thread.start();
            try (TestProxy proxy = TestProxy.start(
                    Front.H1,
                    b -> b.route(r -> r.forward(Upstream.of("https://localhost:" + server.getLocalPort())
                            .withTrust(TrustStore.pem(root))
                            .withProxyProtocol(2))))) {
                assertThat(get(proxy)).isEqualTo(200);
                byte[] header = headers.poll(30, TimeUnit.SECONDS);
                assertThat(header)
                        .startsWith("\r\n\r\n\0\r\nQUIT\n\u0021\u0011\0\14\u007f\0\0\1\u007f\0\0\1"
                                .getBytes(StandardCharsets.ISO_8859_1));
                assertThat((header[26] & 0xff) << 8 | header[27] & 0xff).isEqualTo(proxy.port());
            }
            thread.join(30_000);
            assertThat(failure.get()).isNull();
        } finally {
            Files.delete(root);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void nginxReadsIt(int version, @TempDir Path directory) throws Exception {
        Path nginx = Peers.require("nginx");
        int port = FreePorts.next();
        Path config = directory.resolve("nginx.conf");
        Files.writeString(config, """
            daemon off; master_process off; pid %1$s/pid; error_log stderr;
            events {}
            http {
              access_log off;
              client_body_temp_path %1$s; proxy_temp_path %1$s; fastcgi_temp_path %1$s; uwsgi_temp_path %1$s; scgi_temp_path %1$s;
              server {
                listen 127.0.0.1:%2$d proxy_protocol;
                location / { return 200 "$proxy_protocol_addr $proxy_protocol_server_port"; }
              }
            }
            """.formatted(directory, port));
        Process process = new ProcessBuilder(nginx.toString(), "-p", directory.toString(), "-c", config.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        try (TestProxy proxy = TestProxy.start(
                Front.H1,
                b -> b.route(r -> r.forward(
                                Upstream.of("http://127.0.0.1:" + port).withProxyProtocol(version)))
                        .trustedProxies("127.0.0.1"))) {
            org.awaitility.Awaitility.await().until(() -> get(proxy) == 200);
            try (Response response = proxy.client()
                    .newCall(new Request.Builder()
                            .url(proxy.url("/"))
                            .header("X-Forwarded-For", "203.0.113.7")
                            .build())
                    .execute()) {
                assertThat(response.body().string()).isEqualTo("203.0.113.7 " + proxy.port());
            }
        } finally {
            process.destroy();
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
    }
}
