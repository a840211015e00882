package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.TestProxy;
import java.util.concurrent.TimeUnit;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(LeakCheck.class)
class TracingObserverTest {
    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
    private static final String PARENT = "b7ad6b7169203331";

    private final InMemorySpanExporter spans = InMemorySpanExporter.create();
    private final SdkTracerProvider provider = SdkTracerProvider.builder()
            .addSpanProcessor(SimpleSpanProcessor.create(spans))
            .build();
    private final OpenTelemetry telemetry = OpenTelemetrySdk.builder()
            .setTracerProvider(provider)
            .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
            .build();

    @AfterEach
    void closeProvider() {
        provider.close();
    }

    private SpanData span() {
        await().until(() -> spans.getFinishedSpanItems().size() == 1);
        return spans.getFinishedSpanItems().get(0);
    }

    private static String text(SpanData span, String attribute) {
        return span.getAttributes().get(AttributeKey.stringKey(attribute));
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H2_TLS"})
    void aSpanOfTheClientsTraceDescribesTheExchange(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.route(r -> r.name("api").path("/api/").forward(upstream.uri()))
                                .observer(new TracingObserver(telemetry)))) {
            String[] context = {
                "traceparent", "00-" + TRACE + "-" + PARENT + "-01", "tracestate", "a=1", "User-Agent", "test"
            };
            try (Response response = proxy.get("/api/x?secret=1", context)) {
                assertThat(response.code()).isEqualTo(200);
            }
            SpanData span = span();
            assertThat(span.getName()).isEqualTo("GET api");
            assertThat(span.getKind()).isEqualTo(SpanKind.SERVER);
            assertThat(span.getTraceId()).isEqualTo(TRACE);
            assertThat(span.getParentSpanId()).isEqualTo(PARENT);
            assertThat(span.getSpanContext().getTraceState().get("a")).isEqualTo("1");
            assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
            assertThat(span.getEndEpochNanos() - span.getStartEpochNanos()).isBetween(1L, TimeUnit.MINUTES.toNanos(1));
            assertThat(text(span, "http.request.method")).isEqualTo("GET");
            assertThat(text(span, "http.route")).isEqualTo("api");
            assertThat(text(span, "url.path")).isEqualTo("/api/x");
            assertThat(text(span, "url.scheme")).isEqualTo(front == Front.H1 ? "http" : "https");
            assertThat(text(span, "network.protocol.version")).isEqualTo(front == Front.H1 ? "1.1" : "2");
            assertThat(text(span, "client.address")).isEqualTo("127.0.0.1");
            assertThat(text(span, "user_agent.original")).isEqualTo("test");
            assertThat(text(span, "server.address")).isEqualTo("localhost");
            assertThat(span.getAttributes().get(AttributeKey.longKey("server.port")))
                    .isEqualTo((long) proxy.port());
            assertThat(span.getAttributes().get(AttributeKey.longKey("http.response.status_code")))
                    .isEqualTo(200L);
            assertThat(span.getAttributes().asMap().values().toString()).doesNotContain("secret");
        }
    }

    @Test
    void aFailureIsAnErrorAndAForeignMethodIsNoName() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.close();
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1, b -> b.forward(upstream.uri()).observer(new TracingObserver(telemetry)));
                var client = proxy.raw()) {
            client.send("BREW / HTTP/1.1¶Host: [::1]¶traceparent: 00-nonsense¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 502 ");
            SpanData span = span();
            assertThat(span.getName()).startsWith("HTTP ");
            assertThat(text(span, "http.request.method")).isEqualTo("_OTHER");
            assertThat(text(span, "http.request.method_original")).isEqualTo("BREW");
            assertThat(text(span, "error.type")).isEqualTo("UPSTREAM_CLOSED");
            assertThat(text(span, "server.address")).isEqualTo("[::1]");
            assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
            assertThat(span.getParentSpanContext().isValid()).isFalse();
        }
    }
}
