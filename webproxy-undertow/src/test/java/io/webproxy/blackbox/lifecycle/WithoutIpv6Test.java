package io.webproxy.blackbox.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyServer;
import io.webproxy.route.Balancing;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A JVM of its own that can't speak IPv6, and has upstreams and targets there. */
@ExtendWith(LeakCheck.class)
class WithoutIpv6Test {
    /** Serves until it is killed. */
    static final class Served {
        private Served() {}

        public static void main(String[] args) throws InterruptedException {
            ProxyServer server = ProxyServer.builder()
                    .bind("127.0.0.1")
                    .http(0)
                    .listen(0, port -> port.otherwise("[::1]:9", args[0]))
                    .route(r -> r.forward(UpstreamGroup.of("http://[::1]:9", "http://" + args[0])
                            .balancing(Balancing.failover())))
                    .start();
            server.endpoints()
                    .forEach(endpoint -> System.out.println(endpoint.address().getPort()));
            server.awaitClose();
        }
    }

    private static int port(BufferedReader out) throws Exception {
        String line = out.readLine();
        while (line != null && !line.matches("[0-9]+")) {
            line = out.readLine();
        }
        return Integer.parseInt(String.valueOf(line));
    }

    @Test
    void upstreamsAndTargetsOfIpv6AreSkipped() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 0¶¶")) {
            Process process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:TieredStopAtLevel=1",
                            "-Djava.net.preferIPv4Stack=true",
                            "-cp",
                            System.getProperty("java.class.path"),
                            Served.class.getName(),
                            upstream.address())
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try (BufferedReader out = process.inputReader()) {
                for (int port : new int[] {port(out), port(out)}) {
                    try (RawConnection client = RawConnection.open(port)) {
                        client.send("GET / HTTP/1.1¶Host: a¶¶");
                        assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
                    }
                }
            } finally {
                process.destroyForcibly();
                assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            }
        }
    }
}
