package io.webproxy.undertow.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.observe.RelayRecord;
import io.webproxy.testing.FreePorts;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Peers;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How a target is told who the client is. */
@ExtendWith(LeakCheck.class)
class RelayAddressTest {
    private static void clients(RelayHarness harness, String address) {
        harness.clients = peer -> {
            try {
                return new InetSocketAddress(InetAddress.getByName(address), 50_122);
            } catch (UnknownHostException e) {
                throw new AssertionError(e);
            }
        };
    }

    private static String ask(int port) throws Exception {
        try (RawConnection client = RelayHarness.connect(port)) {
            client.send("GET / HTTP/1.0¶¶");
            return client.readAll();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void nginxReadsTheHeaderBeforeAllElse(int version, @TempDir Path directory) throws Exception {
        Path nginx = Peers.require("nginx");
        int target = FreePorts.next();
        Path config = directory.resolve("nginx.conf");
        Files.writeString(config, """
            daemon off; master_process off; pid %1$s/pid; error_log stderr;
            events {}
            http {
              access_log off;
              client_body_temp_path %1$s; proxy_temp_path %1$s; fastcgi_temp_path %1$s; uwsgi_temp_path %1$s; scgi_temp_path %1$s;
              server {
                listen 127.0.0.1:%2$d proxy_protocol;
                location / { return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port"; }
              }
            }
            """.formatted(directory, target));
        Process process = new ProcessBuilder(nginx.toString(), "-p", directory.toString(), "-c", config.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        try (RelayHarness harness = new RelayHarness()) {
            await().ignoreExceptions().until(() -> {
                new Socket(InetAddress.getLoopbackAddress(), target).close();
                return true;
            });
            int port = harness.listen(RelayHarness.to(target).withProxyProtocol(version));
            clients(harness, "203.0.113.7");
            assertThat(ask(port)).endsWith("203.0.113.7 50122 127.0.0.1 " + port);
            clients(harness, "2001:db8::7");
            assertThat(ask(port)).endsWith("2001:db8::7 50122 ::ffff:127.0.0.1 " + port);
            RelayRecord record = harness.ended();
            assertThat(record.sent()).as("the header isn't the client's").isEqualTo(18);
        } finally {
            process.destroy();
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void targetSeesALoopbackAddressThatStandsForTheClient() throws Exception {
        List<String> seen = new ArrayList<>();
        try (RawUpstream target = RawUpstream.start(
                        c -> c.send(c.socket().getInetAddress().getHostAddress()));
                RelayHarness harness = new RelayHarness()) {
            int port = harness.listen(RelayHarness.to(target.port()).withLoopbackSource());
            for (String client : List.of("203.0.113.7", "203.0.113.7", "203.0.113.8", "2001:db8::1", "2001:db8::2")) {
                clients(harness, client);
                String source = ask(port);
                seen.add(source);
                assertThat(source).startsWith("127.").doesNotStartWith("127.0.").doesNotStartWith("127.255.");
                RelayRecord record = harness.ended();
                assertThat(record.source().orElseThrow().getAddress().getHostAddress())
                        .isEqualTo(source);
            }
        }
        assertThat(seen.get(0)).isEqualTo(seen.get(1)).isNotEqualTo(seen.get(2));
        assertThat(seen.get(3)).isEqualTo(seen.get(4));
    }
}
