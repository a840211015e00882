package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.TestProxy;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.tls.HandshakeCertificates;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
@Timeout(60)
class ExposeServiceTest {
    @Test
    @ExpectedLog(logger = "io.webproxy", contains = "self-signed")
    void serviceIsReachableByHttps() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        var executor = Executors.newSingleThreadExecutor();
        try {
            Future<?> sample = executor.submit(() -> {
                ExposeService.run(0, new PrintStream(out, true, StandardCharsets.UTF_8));
                return null;
            });
            await().until(() -> out.size() > 0 || sample.isDone());
            String line = out.toString(StandardCharsets.UTF_8);
            assertThat(line).matches("ready https://localhost:[0-9]+/\\R");
            assertThat(hello(HttpUrl.get(line.strip().substring("ready ".length()))))
                    .contains("\"message\":\"hello\"", "\"X-Forwarded-Proto\":\"https\"");
        } finally {
            executor.shutdownNow();
        }
        await().until(executor::isTerminated);
    }

    private static String hello(HttpUrl root) throws Exception {
        HandshakeCertificates trust = new HandshakeCertificates.Builder()
                .addTrustedCertificate(PresentedCertificate.of(root.port()))
                .build();
        OkHttpClient client = new OkHttpClient.Builder()
                .sslSocketFactory(trust.sslSocketFactory(), trust.trustManager())
                .build();
        try (Response response = client.newCall(
                        new Request.Builder().url(root.resolve("api/hello")).build())
                .execute()) {
            return response.body().string();
        } finally {
            TestProxy.close(client);
        }
    }
}
