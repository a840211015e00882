package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Pattern;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
@Timeout(60)
class StreamingGatewayTest {
    private static final Pattern ENDED =
            Pattern.compile("(POST|GET) /\\S+ has ended as (LONG|DOWNLOAD): 20[06], [0-9]+ bytes in [0-9]+\\.[0-9] s");

    private RunningSample sample;

    private String printed() {
        return sample.printed();
    }

    @Test
    @ExpectedLog(logger = "io.webproxy", contains = "self-signed")
    void streamsArriveAsTheyComeAndTheirClassesArePrinted() throws Exception {
        try (RunningSample running = RunningSample.start(out -> StreamingGateway.run(0, out))) {
            sample = running;
            OkHttpClient client = running.client();
            HttpUrl root = running.root();
            completions(client, root);
            lines(client, root);
            file(client, root);
            report(client, root);
            await().untilAsserted(() -> assertThat(printed().lines().filter(line -> line.contains(" has ended ")))
                    .hasSize(6)
                    .allMatch(line -> ENDED.matcher(line).matches()));
            assertThat(printed().lines())
                    .containsSubsequence(
                            "POST /v1/chat/completions is LONG",
                            "POST /api/chat is LONG",
                            "GET /models/tiny.gguf is DOWNLOAD",
                            "GET /models/tiny.gguf is DOWNLOAD",
                            "GET /report is DEFAULT",
                            "GET /report becomes DOWNLOAD");
        }
    }

    private void completions(OkHttpClient client, HttpUrl root) throws Exception {
        try (Response response = ask(client, root.resolve("v1/chat/completions"), "{\"stream\": true}")) {
            assertThat(response.protocol()).isEqualTo(Protocol.HTTP_2);
            assertThat(response.header("Content-Type")).isEqualTo("text/event-stream");
            BufferedSource source = response.body().source();
            assertThat(firstLine(source, "[DONE]")).contains("chat.completion.chunk", "\"content\":\"Streams \"");
            assertThat(printed()).as("it goes on").doesNotContain("has ended");
            assertThat(source.readUtf8()).endsWith("data: [DONE]\n\n");
        }
        try (Response response = ask(client, root.resolve("v1/chat/completions"), "{}")) {
            assertThat(response.body().string()).contains("\"chat.completion\"", "nothing healthy is cut.");
        }
    }

    private void lines(OkHttpClient client, HttpUrl root) throws Exception {
        try (Response response = ask(client, root.resolve("api/chat"), "{}")) {
            assertThat(response.header("Content-Type")).isEqualTo("application/x-ndjson");
            BufferedSource source = response.body().source();
            assertThat(firstLine(source, "\"done\":true")).contains("\"content\":\"Streams \"", "\"done\":false");
            assertThat(source.readUtf8().lines()).hasSize(10).last().asString().contains("\"done\":true");
        }
    }

    private void file(OkHttpClient client, HttpUrl root) throws Exception {
        Request whole = new Request.Builder()
                .url(root.resolve("models/tiny.gguf?size=1000000"))
                .build();
        Request part = whole.newBuilder().header("Range", "bytes=65530-140000").build();
        try (Response file = client.newCall(whole).execute();
                Response range = client.newCall(part).execute()) {
            assertThat(file.code()).isEqualTo(200);
            assertThat(range.code()).isEqualTo(206);
            assertThat(range.header("Content-Range")).isEqualTo("bytes 65530-140000/1000000");
            assertThat(range.body().bytes())
                    .isEqualTo(Arrays.copyOfRange(file.body().bytes(), 65530, 140001));
        }
    }

    private void report(OkHttpClient client, HttpUrl root) throws Exception {
        try (Response response = client.newCall(
                        new Request.Builder().url(root.resolve("report")).build())
                .execute()) {
            assertThat(response.body().string())
                    .startsWith("Streams,7\n")
                    .contains("\ncome,4\n")
                    .endsWith("total,10\n");
        }
    }

    /** The first line, which has come without the last one. */
    private static String firstLine(BufferedSource source, String last) throws Exception {
        String line = source.readUtf8LineStrict();
        assertThat(source.getBuffer().snapshot().utf8()).doesNotContain(last);
        return line;
    }

    private static Response ask(OkHttpClient client, HttpUrl url, String question) throws Exception {
        return client.newCall(new Request.Builder()
                        .url(url)
                        .post(RequestBody.create(question.getBytes(StandardCharsets.UTF_8)))
                        .build())
                .execute();
    }
}
