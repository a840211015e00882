package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.samples.demo.DemoService;
import io.webproxy.testing.LeakCheck;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HexFormat;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;
import okhttp3.sse.EventSource;
import okhttp3.sse.EventSourceListener;
import okhttp3.sse.EventSources;
import okio.BufferedSink;
import okio.ByteString;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(LeakCheck.class)
@Timeout(60)
class DemoServiceTest {
    private final DemoService service = DemoService.start();
    private final OkHttpClient client = new OkHttpClient();

    @AfterEach
    void stop() {
        TestProxy.close(client);
        service.close();
    }

    @Test
    void pageLoadsNothingFromElsewhere() throws IOException {
        try (Response page = get("/")) {
            assertThat(page.header("Content-Type")).isEqualTo("text/html; charset=utf-8");
            assertThat(page.header("Content-Security-Policy")).startsWith("default-src 'none'");
            assertThat(page.body().string())
                    .contains("id=\"http\"", "id=\"sse\"", "id=\"ws\"", "id=\"download\"")
                    .doesNotContain("http://", "https://");
        }
    }

    @Test
    void helloAndHeadersSayWhatTheServiceSaw() throws IOException {
        Request.Builder request = new Request.Builder().header("X-Forwarded-For", "192.0.2.1");
        try (Response hello = execute(request.url(url("/api/hello?a=\"b\"")))) {
            assertThat(hello.body().string())
                    .contains("\"message\":\"hello\"", "\"method\":\"GET\"", "\"X-Forwarded-For\":\"192.0.2.1\"");
        }
        try (Response headers = execute(request.url(url("/headers")))) {
            assertThat(headers.body().string()).contains("X-Forwarded-For: 192.0.2.1\n");
        }
    }

    @Test
    void slowAnswersWhenTheTimeIsOver() throws IOException {
        long start = System.nanoTime();
        try (Response slow = get("/slow?ms=200")) {
            assertThat(slow.body().string()).isEqualTo("answered after 200 ms\n");
            assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(200));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 204, 304, 404, 500, 599})
    void statusIsTheOneInThePath(int status) throws IOException {
        try (Response response = get("/status/" + status)) {
            assertThat(response.code()).isEqualTo(status);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/status/99",
                "/status/x",
                "/slow?ms=-1",
                "/slow?ms=",
                "/slow?ms=99999999999999999999",
                "/download/a?size=x"
            })
    void badNumberIsRefused(String path) throws IOException {
        try (Response response = get(path)) {
            assertThat(response.code()).isEqualTo(400);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/nothing", "/download", "/download/", "/download/a%22b", "/download/a/b"})
    void unknownPathIsNotFound(String path) throws IOException {
        try (Response response = get(path)) {
            assertThat(response.code()).isEqualTo(404);
        }
    }

    @Test
    void downloadIsAsLongAsItSaysAndAlwaysTheSame() throws Exception {
        String path = "/download/demo.bin?size=3000000";
        try (Response first = get(path);
                Response second = get(path)) {
            assertThat(first.header("Content-Length")).isEqualTo("3000000");
            assertThat(first.header("Content-Disposition")).isEqualTo("attachment; filename=\"demo.bin\"");
            assertThat(first.header("Accept-Ranges")).isEqualTo("bytes");
            byte[] content = first.body().bytes();
            assertThat(content).hasSize(3_000_000).isEqualTo(second.body().bytes());
        }
        try (Response head = execute(new Request.Builder().url(url(path)).head())) {
            assertThat(head.header("Content-Length")).isEqualTo("3000000");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "bytes=0-15, 0, 16, bytes 0-15/200000",
        "bytes=65530-140000, 65530, 140001, bytes 65530-140000/200000",
        "bytes=199990-, 199990, 200000, bytes 199990-199999/200000",
        "bytes=-10, 199990, 200000, bytes 199990-199999/200000",
    })
    void rangeIsAPartOfTheWhole(String range, int start, int end, String contentRange) throws IOException {
        Request.Builder request = new Request.Builder().url(url("/download/demo.bin?size=200000"));
        try (Response whole = execute(request);
                Response part = execute(request.header("Range", range))) {
            assertThat(part.code()).isEqualTo(206);
            assertThat(part.header("Content-Range")).isEqualTo(contentRange);
            assertThat(part.body().bytes())
                    .isEqualTo(java.util.Arrays.copyOfRange(whole.body().bytes(), start, end));
        }
    }

    @ParameterizedTest
    @CsvSource({"bytes=200000-, 416", "'bytes=0-1,5-6', 200", "lines=1-2, 200"})
    void otherRangesAreRefusedOrIgnored(String range, int status) throws IOException {
        Request.Builder request = new Request.Builder().url(url("/download/demo.bin?size=200000"));
        try (Response response = execute(request.header("Range", range))) {
            assertThat(response.code()).isEqualTo(status);
        }
    }

    @Test
    void uploadOfUnknownLengthIsCountedAndHashed() throws Exception {
        byte[] piece = new byte[64 * 1024];
        RequestBody body = new RequestBody() {
            @Override
            public @Nullable MediaType contentType() {
                return null;
            }

            @Override
            public void writeTo(BufferedSink sink) throws IOException {
                for (int i = 0; i < 100; i++) {
                    sink.write(piece);
                }
            }
        };
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        for (int i = 0; i < 100; i++) {
            sha256.update(piece);
        }
        try (Response response = execute(new Request.Builder()
                .url(url("/upload"))
                .header("Expect", "100-continue")
                .post(body))) {
            assertThat(response.body().string())
                    .isEqualTo(
                            "{\"bytes\":6553600,\"sha256\":\"" + HexFormat.of().formatHex(sha256.digest()) + "\"}\n");
        }
    }

    @Test
    void uploadTakesPostAndPutOnly() throws IOException {
        try (Response get = get("/upload");
                Response post =
                        execute(new Request.Builder().url(url("/upload")).post(RequestBody.EMPTY))) {
            assertThat(get.code()).isEqualTo(405);
            assertThat(get.header("Allow")).isEqualTo("POST, PUT");
            assertThat(post.body().string()).startsWith("{\"bytes\":0,");
        }
    }

    @Test
    void clockTicksUntilStreamsEnd() throws InterruptedException {
        BlockingQueue<String> events = new LinkedBlockingQueue<>();
        EventSource source = EventSources.createFactory(client)
                .newEventSource(new Request.Builder().url(url("/events")).build(), new EventSourceListener() {
                    @Override
                    public void onEvent(EventSource source, @Nullable String id, @Nullable String type, String data) {
                        events.add(data);
                    }

                    @Override
                    public void onClosed(EventSource source) {
                        events.add("closed");
                    }
                });
        Instant first = Instant.parse(events.poll(30, TimeUnit.SECONDS));
        Instant second = Instant.parse(events.poll(30, TimeUnit.SECONDS));
        assertThat(second).isAfter(first);

        service.endStreams();

        String last = events.poll(30, TimeUnit.SECONDS);
        assertThat(last).isEqualTo("closed");
        source.cancel();
    }

    @Test
    void echoSendsTextAndBytesBackUntilStreamsEnd() throws Exception {
        BlockingQueue<Object> messages = new LinkedBlockingQueue<>();
        WebSocket socket =
                client.newWebSocket(new Request.Builder().url(url("/echo")).build(), new WebSocketListener() {
                    @Override
                    public void onMessage(WebSocket socket, String text) {
                        messages.add(text);
                    }

                    @Override
                    public void onMessage(WebSocket socket, ByteString bytes) {
                        messages.add(bytes);
                    }

                    @Override
                    public void onClosing(WebSocket socket, int code, String reason) {
                        messages.add(code);
                        socket.close(code, null);
                    }
                });
        ByteString large = ByteString.of(new byte[1 << 20]);
        socket.send("grüß dich");
        socket.send(large);
        assertThat(messages.poll(30, TimeUnit.SECONDS)).isEqualTo("grüß dich");
        assertThat(messages.poll(30, TimeUnit.SECONDS)).isEqualTo(large);

        service.endStreams();

        assertThat(messages.poll(30, TimeUnit.SECONDS)).isEqualTo(1001);
    }

    @Test
    void afterTheEndOfStreamsNoneIsOpened() throws IOException {
        service.endStreams();
        try (Response events = get("/events");
                Response hello = get("/api/hello")) {
            assertThat(events.code()).isEqualTo(204);
            assertThat(hello.code()).isEqualTo(200);
        }
    }

    @Test
    void echoWithoutUpgradeSaysWhatItSpeaks() throws IOException {
        try (Response response = get("/echo")) {
            assertThat(response.code()).isEqualTo(426);
            assertThat(response.header("Upgrade")).isEqualTo("websocket");
        }
    }

    @Test
    void takenPortIsOneSentence() {
        assertThatThrownBy(() -> DemoService.start(service.port()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith("The demo service can't listen on 127.0.0.1:" + service.port() + ": ");
    }

    private String url(String path) {
        return "http://127.0.0.1:" + service.port() + path;
    }

    private Response get(String path) throws IOException {
        return execute(new Request.Builder().url(url(path)));
    }

    private Response execute(Request.Builder request) throws IOException {
        return client.newCall(request.build()).execute();
    }
}
