package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.testing.LeakCheck;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
@Timeout(60)
class EdgeServerWithIpTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private String printed() {
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void clientsThatTrustTheCertificateReachTheAddressAndHearAudioAtOnce() throws Exception {
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try {
            Future<?> sample = executor.submit(() -> {
                EdgeServerWithIp.run(
                        new String[] {"127.0.0.1", "0"}, new PrintStream(out, true, StandardCharsets.UTF_8));
                return null;
            });
            await().until(() -> printed().contains("audio") || sample.isDone());
            URI ready = URI.create(printed().lines().findFirst().orElseThrow().substring("ready ".length()));
            URI root = URI.create("https://127.0.0.1:" + ready.getPort() + "/");
            HttpsURLConnection audio =
                    (HttpsURLConnection) root.resolve("audio").toURL().openConnection();
            // the JDK compares the address with the iPAddress entry, as Android does
            audio.setSSLSocketFactory(
                    trusting(PresentedCertificate.of(ready.getPort())).getSocketFactory());
            assertThat(audio.getContentType()).isEqualTo("audio/wav");
            try (InputStream in = audio.getInputStream()) {
                assertThat(new String(in.readNBytes(4), StandardCharsets.US_ASCII))
                        .isEqualTo("RIFF");
                assertThat(in.readNBytes(2000)).hasSize(2000);
            }
        } finally {
            executor.shutdownNow();
        }
        await().until(executor::isTerminated);
    }

    private static SSLContext trusting(X509Certificate certificate) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("only", certificate);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
