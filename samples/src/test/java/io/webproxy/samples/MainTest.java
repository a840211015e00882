package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class MainTest {
    @TempDir
    private Path directory;

    @Test
    void wrongArgumentsExitWith2() throws Exception {
        try (MainProcess main = MainProcess.start("expose", "--internal-port", "8080", "--user", "alice")) {
            assertThat(main.exitStatus()).isEqualTo(2);
            assertThat(main.stderr()).startsWith("webproxy: ").hasLineCount(1);
            assertThat(main.line()).isEmpty();
        }
    }

    @Test
    void helpExitsWith0() throws Exception {
        try (MainProcess main = MainProcess.start("--help")) {
            assertThat(main.exitStatus()).isZero();
            assertThat(main.stderr()).isEmpty();
        }
    }

    @Test
    void hangupEndsTheServiceWith0BecauseItHasNoLogFile() throws Exception {
        try (MainProcess main = MainProcess.start("service")) {
            assertThat(main.line()).matches("ready http://127\\.0\\.0\\.1:[0-9]+/");
            main.signal("HUP");
            assertThat(main.exitStatus()).isZero();
            assertThat(main.stderr()).isEmpty();
        }
    }

    @Test
    void signalEndsTheDemoWith0AndAllItPrintedIsTheReadyLineButHangupOpensTheLogAnew() throws Exception {
        Path log = directory.resolve("access.log");
        try (MainProcess main = MainProcess.start(
                "demo", "--external-port", "0", "--bind", "127.0.0.1", "--plain", "--access-log", log.toString())) {
            assertThat(main.line()).matches("ready http://localhost:[0-9]+/");
            Files.move(log, directory.resolve("access.log.1"));
            main.signal("HUP");
            // no request in between
            await().atMost(30, TimeUnit.SECONDS).until(() -> Files.exists(log));
            main.terminate();
            assertThat(main.exitStatus()).isZero();
            assertThat(main.line()).isEmpty();
            assertThat(main.stderr()).doesNotContain(" WARN ", " ERROR ", "Exception");
        }
    }

    @Test
    void secondSignalEndsWhatTheFirstWaitsFor() throws Exception {
        try (ServerSocket upstream = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                MainProcess main = MainProcess.start(
                        "expose",
                        "--internal-port",
                        String.valueOf(upstream.getLocalPort()),
                        "--external-port",
                        "0",
                        "--bind",
                        "127.0.0.1",
                        "--plain")) {
            int port = URI.create(main.line().substring("ready ".length())).getPort();
            try (Socket client = new Socket(InetAddress.getLoopbackAddress(), port)) {
                client.getOutputStream()
                        .write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                try (Socket held = upstream.accept()) {
                    assertThat(held.getInputStream().read()).isEqualTo('G');
                    main.terminate();
                    // it doesn't accept any more once it drains
                    await().atMost(30, TimeUnit.SECONDS).until(() -> isClosed(port));
                    long start = System.nanoTime();
                    main.terminate();
                    assertThat(main.exitStatus()).isEqualTo(128 + 15);
                    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(25));
                }
            }
        }
    }

    private static boolean isClosed(int port) {
        try (Socket other = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }
}
