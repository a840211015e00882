package io.webproxy.undertow.http2;

import static io.webproxy.undertow.http2.Outbound.post;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.testing.FreePorts;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Peers;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The client's role with nghttpd, which has a codec of its own and the whole of HPACK. */
@ExtendWith(LeakCheck.class)
class OutboundPeersTest {
    @TempDir
    private Path files;

    private byte[] big;
    private Process server;
    private Outbound outbound;

    @BeforeEach
    void start() throws Exception {
        big = new byte[3_000_000];
        new Random(1).nextBytes(big);
        Files.write(files.resolve("big"), big);
        Files.writeString(files.resolve("small"), "hello");
        int port = FreePorts.next();
        server = new ProcessBuilder(
                        Peers.require("nghttpd").toString(),
                        "--no-tls",
                        "--echo-upload",
                        "-d",
                        files.toString(),
                        String.valueOf(port))
                .redirectErrorStream(true)
                .redirectOutput(files.resolve("log").toFile())
                .start();
        await().until(() -> isOpen(port));
        outbound = Outbound.to(port).settle();
    }

    private static boolean isOpen(int port) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    @AfterEach
    void stop() throws Exception {
        if (outbound != null) {
            outbound.close();
        }
        if (server != null) {
            server.destroyForcibly();
            assertThat(server.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void manyRequestsWithTheTablesOfHpackInUse() throws Exception {
        for (int round = 0; round < 3; round++) {
            List<Outbound.Call> calls = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                String value = "v" + i + "-" + round;
                calls.add(outbound.send(
                        block -> {
                            block.start("GET", "http", "localhost", "/small");
                            block.field(new io.undertow.util.HttpString("X-Repeated"), "always the same");
                            block.field(new io.undertow.util.HttpString("X-Other"), value);
                        },
                        true));
            }
            for (Outbound.Call call : calls) {
                assertThat(call.await()).isEqualTo("200 ended");
                assertThat(call.text()).isEqualTo("hello");
            }
        }
        assertThat(outbound.get("/none").await()).isEqualTo("404 ended");
    }

    @Test
    void largeBodiesGoBothWays() throws Exception {
        Outbound.Call down = outbound.get("/big");
        Outbound.Call up = outbound.send(post("content-length", String.valueOf(big.length)), false);
        up.body(big, () -> null);
        assertThat(down.await()).isEqualTo("200 ended");
        assertThat(down.bytes()).isEqualTo(big);
        assertThat(up.await()).isEqualTo("200 ended");
        assertThat(up.bytes()).isEqualTo(big);
    }
}
