package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.http.Answer;
import io.webproxy.metrics.ProxyMetrics;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawUpstream;
import io.webproxy.tls.Certificates;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.tls.HandshakeCertificates;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Two servers in one JVM, whose meters are in one registry. */
@ExtendWith(LeakCheck.class)
class TwoServersTest {
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final HandshakeCertificates anything =
            new HandshakeCertificates.Builder().addInsecureHost("localhost").build();
    private final OkHttpClient client = new OkHttpClient.Builder()
            .sslSocketFactory(anything.sslSocketFactory(), anything.trustManager())
            .hostnameVerifier((host, session) -> true)
            .build();

    private static ProxyConfig.Builder builder(ProxyMetrics metrics) {
        return ProxyServer.builder().bind("127.0.0.1").drainTime(Duration.ZERO).observer(metrics);
    }

    private void get(ProxyServer proxy, String path, int status) throws IOException {
        Request request =
                new Request.Builder().url(proxy.uri().resolve(path).toString()).build();
        try (Response response = client.newCall(request).execute()) {
            assertThat(response.code()).isEqualTo(status);
        }
    }

    private long requests(String... tags) {
        return registry.find("webproxy.requests").tags(tags).timers().stream()
                .mapToLong(Timer::count)
                .sum();
    }

    private double handshakes(String server) {
        return registry.get("webproxy.handshakes").tag("server", server).functionCounters().stream()
                .mapToDouble(counter -> counter.count())
                .sum();
    }

    @Test
    void eachCountsItsOwnAndOneMayGo() throws Exception {
        try (ProxyMetrics open = ProxyMetrics.bind(registry, "open");
                ProxyMetrics inner = ProxyMetrics.bind(registry, "inner");
                RawUpstream upstream = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                ProxyServer one = builder(open)
                        .https(0)
                        .certificates(Certificates.selfSigned("localhost"))
                        .route(r -> r.name("all")
                                .forward(UpstreamGroup.of(upstream.uri()).named("group")))
                        .start()) {
            try (ProxyServer other = builder(inner)
                    .http(0)
                    .route(r -> r.name("all").answer(Answer.of(404)))
                    .start()) {
                for (int i = 0; i < 3; i++) {
                    get(one, "/", 200);
                }
                get(other, "/", 404);
                await().untilAsserted(() -> {
                    assertThat(requests("server", "open", "route", "all", "status", "200"))
                            .isEqualTo(3);
                    assertThat(requests("server", "inner", "route", "all", "status", "404"))
                            .isEqualTo(1);
                    assertThat(handshakes("open")).isEqualTo(1);
                });
                assertThat(requests()).isEqualTo(4);
                assertThat(handshakes("inner")).isZero();
                assertThat(registry.get("webproxy.upstream.requests")
                                .tags("server", "open", "group", "group")
                                .timer()
                                .count())
                        .isEqualTo(3);
                assertThat(registry.find("webproxy.upstream.requests")
                                .tag("server", "inner")
                                .meters())
                        .isEmpty();
            }
            inner.close();
            assertThat(registry.getMeters())
                    .isNotEmpty()
                    .allMatch(meter -> "open".equals(meter.getId().getTag("server")));
            get(one, "/", 200);
            await().atMost(10, TimeUnit.SECONDS).until(() -> requests() == 4);
        } finally {
            TestProxy.close(client);
        }
        assertThat(registry.getMeters()).isEmpty();
    }
}
