package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.undertow.testing.TestProxy;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.tls.HandshakeCertificates;

/** A sample that serves, run in this JVM until it is closed, and a client that trusts it. */
final class RunningSample implements AutoCloseable {
    /** The sample's main method, told where to print. */
    interface Main {
        void run(PrintStream out) throws Exception;
    }

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ExecutorService executor = Executors.newSingleThreadExecutor();
    private final OkHttpClient client;

    private RunningSample(Main main) throws Exception {
        Future<?> sample = executor.submit(() -> {
            main.run(new PrintStream(out, true, StandardCharsets.UTF_8));
            return null;
        });
        await().atMost(Duration.ofSeconds(30)).until(() -> printed().contains("\n") || sample.isDone());
        assertThat(printed()).startsWith("ready https://localhost:");
        HandshakeCertificates trust = new HandshakeCertificates.Builder()
                .addTrustedCertificate(PresentedCertificate.of(root().port()))
                .build();
        client = new OkHttpClient.Builder()
                .sslSocketFactory(trust.sslSocketFactory(), trust.trustManager())
                .build();
    }

    /** Returns when the sample says that it is ready. */
    static RunningSample start(Main main) throws Exception {
        return new RunningSample(main);
    }

    String printed() {
        return out.toString(StandardCharsets.UTF_8);
    }

    HttpUrl root() {
        return HttpUrl.get(printed().lines().findFirst().orElseThrow().substring("ready ".length()));
    }

    OkHttpClient client() {
        return client;
    }

    /** The body of what is there; fails unless it is a 200. */
    String get(String path) throws IOException {
        try (Response response = client.newCall(
                        new Request.Builder().url(root().resolve(path)).build())
                .execute()) {
            assertThat(response.code()).isEqualTo(200);
            return response.body().string();
        }
    }

    @Override
    public void close() {
        TestProxy.close(client);
        executor.shutdownNow();
        await().until(executor::isTerminated);
    }
}
