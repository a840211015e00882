package io.webproxy.blackbox.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyServer;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A JVM of its own that is told to end while an exchange is in flight. */
class ShutdownHookTest {
    /** Serves until it is killed. */
    static final class Served {
        private Served() {}

        public static void main(String[] args) throws InterruptedException {
            try (ProxyServer closed = server(args)) {
                closed.drain(java.time.Duration.ZERO).toCompletableFuture().join();
            }
            ProxyServer server = server(args);
            System.out.println(server.endpoints().get(0).address().getPort());
            server.awaitClose();
        }

        private static ProxyServer server(String[] args) {
            return ProxyServer.builder()
                    .bind("127.0.0.1")
                    .http(0)
                    .tuning(t -> t.withIoThreads(2))
                    .forward(args[0])
                    .closeOnShutdown(Boolean.parseBoolean(args[1]))
                    .start();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void exchangeInFlightEndsOnlyIfAskedFor(boolean asked) throws Exception {
        CountDownLatch answer = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
            c.readHead();
            c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶o");
            answer.await(30, TimeUnit.SECONDS);
            c.send("k");
        })) {
            Process process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:TieredStopAtLevel=1",
                            "-cp",
                            System.getProperty("java.class.path"),
                            Served.class.getName(),
                            upstream.uri(),
                            Boolean.toString(asked))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try (BufferedReader out = process.inputReader()) {
                String port = out.readLine();
                while (port != null && !port.matches("[0-9]+")) {
                    port = out.readLine();
                }
                assertThat(port).isNotNull();
                try (RawConnection client = RawConnection.open(Integer.parseInt(port))) {
                    client.send("GET / HTTP/1.1¶Host: a¶¶").readHead();
                    assertThat(client.read(1)).isEqualTo("o");
                    process.toHandle().destroy();
                    if (asked) {
                        assertThat(process.waitFor(100, TimeUnit.MILLISECONDS)).isFalse();
                        answer.countDown();
                        assertThat(client.read(1)).isEqualTo("k");
                    } else {
                        assertThat(client.end()).isIn("end", "reset");
                        answer.countDown();
                    }
                }
                assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            } finally {
                process.destroyForcibly();
            }
        }
    }
}
