package io.webproxy.undertow.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Told;
import io.webproxy.tls.Certificates;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(LeakCheck.class)
class ServedTlsTest {
    @TempDir
    Path directory;

    private final List<String> events = new ArrayList<>();

    private ProxyConfig config() {
        return ProxyServer.builder()
                .https(0)
                .certificates(Certificates.pem(directory.resolve("a.crt"), directory.resolve("a.key")))
                .certificateReload(Duration.ZERO)
                .forward("http://127.0.0.1:1")
                .build();
    }

    private static void putInForce(Change change) {
        change.commit();
        change.finish();
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.tls", contains = "the previous one is still served")
    void observersHearOfAFileThatOnlyUpdatesLookAt() throws Exception {
        HeldCertificate leaf = new HeldCertificate.Builder()
                .addSubjectAlternativeName("a.example")
                .build();
        Files.writeString(directory.resolve("a.crt"), leaf.certificatePem());
        Files.writeString(directory.resolve("a.key"), leaf.privateKeyPkcs8Pem());
        try (ServedTls tls = new ServedTls(event -> event.accept(Told.to(told -> events.add(told.method()))))) {
            putInForce(tls.prepare(config()));
            Files.delete(directory.resolve("a.key"));
            tls.prepare(config()).rollBack();
            assertThat(events).isEmpty();
            putInForce(tls.prepare(config()));
            assertThat(events).containsExactly("certificateFailed");
            putInForce(tls.prepare(config()));
            assertThat(events).hasSize(1);
        }
    }
}
