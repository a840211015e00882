package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Pebble;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(LeakCheck.class)
@Timeout(60)
class AutomaticHttpsTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    @TempDir
    private Path storage;

    private String printed() {
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void certificateOfTheCaIsServed() throws Exception {
        int https = Pebble.freePort();
        int http = Pebble.freePort();
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try (Pebble pebble = new Pebble.Setup().start(http, https)) {
            String[] arguments = {
                "host.example.com",
                storage.toString(),
                pebble.acmeDirectory().toString(),
                pebble.trust().toString(),
                String.valueOf(https),
                String.valueOf(http)
            };
            Future<?> sample = executor.submit(() -> {
                AutomaticHttps.run(arguments, new PrintStream(out, true, StandardCharsets.UTF_8));
                return null;
            });
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> printed().contains("OBTAINED host.example.com: ") || sample.isDone());
            assertThat(printed()).contains("ready https://");
            X509Certificate served = PresentedCertificate.of(https);
            assertThat(served.getIssuerX500Principal().getName()).contains("Pebble Intermediate CA");
            executor.shutdownNow();
            await().until(executor::isTerminated);
        } finally {
            executor.shutdownNow();
        }
    }
}
