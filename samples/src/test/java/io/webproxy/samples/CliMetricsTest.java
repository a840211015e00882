package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.testing.FreePorts;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import okhttp3.Credentials;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(LeakCheck.class)
@Timeout(60)
class CliMetricsTest {
    private final OkHttpClient client = new OkHttpClient();
    private final int port = FreePorts.next();

    @AfterEach
    void closeClient() {
        TestProxy.close(client);
    }

    private Served demo(String bound, String... more) {
        List<String> arguments =
                new ArrayList<>(List.of("demo", "--external-port", "0", "--bind", "127.0.0.1", "--plain"));
        arguments.addAll(List.of("--metrics", bound + ":" + port));
        arguments.addAll(List.of(more));
        return Served.start(arguments.toArray(String[]::new));
    }

    private Request request(String path) {
        return new Request.Builder().url("http://127.0.0.1:" + port + path).build();
    }

    private Response call(Request request) throws IOException {
        return client.newCall(request).execute();
    }

    private String body(Request request) throws IOException {
        try (Response response = call(request)) {
            assertThat(response.code()).isEqualTo(200);
            return response.body().string();
        }
    }

    @Test
    void metricsCountWhatTheServerAnswered() throws Exception {
        try (Served demo = demo("127.0.0.1")) {
            for (int i = 0; i < 3; i++) {
                body(new Request.Builder().url(demo.url("/api/hello")).build());
            }
            // a record is made when the response has been sent
            await().untilAsserted(() -> assertThat(body(request("/metrics")))
                    .containsPattern("webproxy_requests_seconds_count\\{class=\"DEFAULT\",class_end=\"DEFAULT\","
                            + "error=\"none\",method=\"GET\",outcome=\"SUCCESS\",protocol=\"HTTP/1.1\",route=\"[^\"]*\",server=\"webproxy\",status=\"200\"}"
                            + " 3\n"));
            try (Response response = call(request("/metrics"))) {
                assertThat(response.header("Content-Type")).isEqualTo("text/plain; version=0.0.4; charset=utf-8");
                assertThat(response.header("Access-Control-Allow-Origin")).isNull();
                assertThat(response.body().string())
                        .contains("webproxy_requests_first_byte_seconds_bucket{", "jvm_memory_used_bytes{");
            }
            assertThat(body(request("/livez"))).isEqualTo("ok\n");
            assertThat(body(request("/readyz"))).isEqualTo("ok\n");
            try (Response other = call(request("/other"))) {
                assertThat(other.code()).isEqualTo(404);
            }
        }
    }

    @Test
    void theFirstReadingShowsTheUpstreams() throws Exception {
        try (Served demo = demo("127.0.0.1")) {
            assertThat(demo.port()).isPositive();
            assertThat(body(request("/metrics")))
                    .containsPattern("webproxy_upstream_connections\\{group=\"none\",[^}]*state=\"idle\"[^}]*} 0.0\n")
                    .containsPattern("webproxy_upstream_healthy\\{[^}]*} 1.0\n");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "localhost, 200",
        "LOCALHOST:1, 200",
        "127.0.0.1, 200",
        "[::1]:9090, 200",
        "attacker.example, 421",
        "127.0.0.1.attacker.example, 421",
        "192.0.2.1, 421",
        "999.0.0.1, 421",
        "localhost.attacker.example:9090, 421"
    })
    void aWebPageCannotReadMetricsByDnsRebinding(String host, int status) throws Exception {
        try (Served demo = demo("127.0.0.1");
                RawConnection raw = RawConnection.open(port)) {
            assertThat(demo.port()).isPositive();
            raw.send("GET /livez HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
            assertThat(raw.readAll()).startsWith("HTTP/1.1 " + status + " ");
        }
    }

    @Test
    void onlyGetAndHeadAreAnswered() throws Exception {
        try (Served demo = demo("127.0.0.1")) {
            assertThat(demo.port()).isPositive();
            try (Response head = call(request("/metrics").newBuilder().head().build());
                    Response post = call(request("/metrics")
                            .newBuilder()
                            .post(RequestBody.create(new byte[1]))
                            .build())) {
                assertThat(head.code()).isEqualTo(200);
                assertThat(post.code()).isEqualTo(405);
                assertThat(post.header("Allow")).isEqualTo("GET, HEAD");
            }
        }
    }

    @Test
    void anAddressThatIsNotLoopbackNeedsTheCredentials() throws Exception {
        try (Served demo = demo("0.0.0.0", "--user", "alice", "--password", "p4ss")) {
            assertThat(demo.port()).isPositive();
            try (Response refused = call(request("/metrics"));
                    Response passed = call(request("/metrics")
                            .newBuilder()
                            .header("Authorization", Credentials.basic("alice", "p4ss"))
                            .build())) {
                assertThat(refused.code()).isEqualTo(401);
                assertThat(passed.code()).isEqualTo(200);
            }
        }
    }

    @Test
    void isLiveButNotReadyWhileItDrains() throws Exception {
        try (Served demo = demo("127.0.0.1", "--drain-time", "20s");
                RawConnection open = RawConnection.open(demo.port())) {
            // a body that doesn't come
            open.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
            await().until(() ->
                    body(request("/metrics")).contains("webproxy_requests_active{server=\"webproxy\"} 1.0"));
            demo.interrupt();
            await().untilAsserted(() -> {
                try (Response ready = call(request("/readyz"))) {
                    assertThat(ready.code()).isEqualTo(503);
                }
            });
            assertThat(body(request("/livez"))).isEqualTo("ok\n");
            open.send("cde");
        }
    }
}
