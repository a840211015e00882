package io.webproxy.timeout;

import static io.webproxy.timeout.TimeoutClass.DEFAULT;
import static io.webproxy.timeout.TimeoutClass.DOWNLOAD;
import static io.webproxy.timeout.TimeoutClass.LONG;
import static io.webproxy.timeout.TimeoutClass.WEBSOCKET;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.webproxy.http.RequestHead;
import io.webproxy.http.ResponseHead;
import java.net.InetAddress;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StandardClassifierTest {
    private static final StandardClassifier STANDARD = StandardClassifier.defaults();

    /** A request of which only path and fields matter; names of fields in lower case. */
    private record Request(String path, Map<String, List<String>> fields) implements RequestHead {
        static Request of(String path) {
            return new Request(path, Map.of());
        }

        static Request with(String name, String... values) {
            return new Request("/", Map.of(name, List.of(values)));
        }

        @Override
        public List<String> headers(String name) {
            return fields.getOrDefault(name.toLowerCase(Locale.ROOT), List.of());
        }

        @Override
        public String header(String name) {
            return headers(name).isEmpty() ? null : headers(name).get(0);
        }

        @Override
        public String method() {
            return "GET";
        }

        @Override
        public String scheme() {
            return "https";
        }

        @Override
        public String authority() {
            return "localhost";
        }

        @Override
        public String query() {
            return "";
        }

        @Override
        public String protocol() {
            return "HTTP/1.1";
        }

        @Override
        public InetAddress clientAddress() {
            return InetAddress.getLoopbackAddress();
        }
    }

    /** A response of a status and one field, whose name is in lower case. */
    private record Response(int status, String name, String value) implements ResponseHead {
        @Override
        public List<String> headers(String wanted) {
            return wanted.equalsIgnoreCase(name) ? List.of(value) : List.of();
        }

        @Override
        public String header(String wanted) {
            return wanted.equalsIgnoreCase(name) ? value : null;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "*", "", "/index.html", "/api", "/chat", "/generat", "/event", "/a.b/c", "/zip", "/."})
    void ordinaryPathIsDefault(String path) {
        assertThat(STANDARD.classify(Request.of(path))).isEqualTo(DEFAULT);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/api/chat",
                "/ollama/api/chat",
                "/v1/chat/completions",
                "/V1/Chat/Completions",
                "/api/generate",
                "/generate",
                "/x/generate_stream",
                "/stream",
                "/a/streams/7",
                "/events",
                "/EVENTS/1"
            })
    void longPathIsFoundAnywhereAndInAnyCase(String path) {
        assertThat(STANDARD.classify(Request.of(path))).isEqualTo(LONG);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/a.zip",
                "/a.ISO",
                "/models/llama.Q4_K_M.gguf",
                "/model.safetensors",
                "/film.mp4",
                "/a.tar.gz",
                "/.zip",
                "/download/7",
                "/Download/",
                "/x/downloads/y",
                "/files/report",
                "/a/FILES/b"
            })
    void filePathIsDownload(String path) {
        assertThat(STANDARD.classify(Request.of(path))).isEqualTo(DOWNLOAD);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"/a.zip/b", "/zip", "/azip", "/a.zipx", "/a.zip;x", "/xdownload/7", "/downloadx/7", "/my-files/7"
            })
    void halfASegmentAndAFolderWithAnExtensionAreNoDownload(String path) {
        assertThat(STANDARD.classify(Request.of(path))).isEqualTo(DEFAULT);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "accept | text/event-stream | LONG",
                "accept | text/html, Text/Event-Stream;q=0.5 | LONG",
                "accept | application/x-ndjson | LONG",
                "accept | application/octet-stream | DOWNLOAD",
                "accept | APPLICATION/octet-stream, text/event-stream | DOWNLOAD",
                "accept | */* | DEFAULT",
                "accept | text/html | DEFAULT",
                "range | bytes=0- | DOWNLOAD",
                "range | nonsense | DOWNLOAD",
                "content-type | text/event-stream | DEFAULT",
                "upgrade | websocket | DEFAULT"
            })
    void requestFieldsChooseTheClass(String name, String value, TimeoutClass expected) {
        assertThat(STANDARD.classify(Request.with(name, value))).isEqualTo(expected);
    }

    @Test
    void everyAcceptFieldIsRead() {
        assertThat(STANDARD.classify(Request.with("accept", "text/html", "application/x-ndjson")))
                .isEqualTo(LONG);
        assertThat(STANDARD.classify(Request.with("accept", "text/event-stream", "application/octet-stream")))
                .isEqualTo(DOWNLOAD);
    }

    @Test
    void downloadWinsOverLong() {
        assertThat(STANDARD.classify(Request.of("/stream/film.mp4"))).isEqualTo(DOWNLOAD);
        assertThat(STANDARD.classify(new Request("/events", Map.of("range", List.of("bytes=0-")))))
                .isEqualTo(DOWNLOAD);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "200 | content-type | text/event-stream | LONG",
                "200 | content-type | Text/Event-Stream; charset=utf-8 | LONG",
                "200 | content-type | application/x-ndjson;x=y | LONG",
                "200 | content-type | text/event-streamed | DEFAULT",
                "200 | content-type | application/json | DEFAULT",
                "200 | content-type | application/octet-stream | DEFAULT",
                "206 | content-type | text/plain | DOWNLOAD",
                "206 | content-type | text/event-stream | DOWNLOAD",
                "200 | content-disposition | attachment | DOWNLOAD",
                "200 | content-disposition | ATTACHMENT; filename=a | DOWNLOAD",
                "200 | content-disposition | attachment;filename=a | DOWNLOAD",
                "200 | content-disposition | inline; filename=attachment | DEFAULT",
                "200 | content-disposition | attachments | DEFAULT",
                "101 | upgrade | websocket | WEBSOCKET",
                "101 | content-type | text/event-stream | WEBSOCKET",
                "500 | content-type | text/plain | DEFAULT"
            })
    void responseUpgradesTheClass(int status, String name, String value, TimeoutClass expected) {
        assertThat(STANDARD.upgrade(DEFAULT, new Response(status, name, value))).isEqualTo(expected);
    }

    @Test
    void responseThatSaysNothingKeepsTheClass() {
        for (TimeoutClass current : TimeoutClass.values()) {
            assertThat(STANDARD.upgrade(current, new Response(200, "content-type", "text/plain")))
                    .isEqualTo(current);
        }
    }

    @Test
    void listsCanBeReplacedOneByOne() {
        StandardClassifier own = STANDARD.withLongPaths(List.of("/Think"))
                .withDownloadSegments(Set.of("Blobs"))
                .withDownloadExtensions(Set.of("BIG"));

        assertThat(own.classify(Request.of("/x/think/1"))).isEqualTo(LONG);
        assertThat(own.classify(Request.of("/blobs/1"))).isEqualTo(DOWNLOAD);
        assertThat(own.classify(Request.of("/a.big"))).isEqualTo(DOWNLOAD);
        assertThat(own.classify(Request.of("/api/chat"))).isEqualTo(DEFAULT);
        assertThat(own.classify(Request.of("/download/1"))).isEqualTo(DEFAULT);
        assertThat(own.classify(Request.of("/a.zip"))).isEqualTo(DEFAULT);
        assertThat(STANDARD.classify(Request.of("/a.zip"))).isEqualTo(DOWNLOAD);
    }

    @Test
    void turkishLocaleChangesNothing() {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("tr"));
        try {
            assertThat(STANDARD.classify(Request.of("/A.ZIP"))).isEqualTo(DOWNLOAD);
            assertThat(STANDARD.classify(Request.of("/CHAT/COMPLETIONS"))).isEqualTo(LONG);
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void hostileFieldsNeverThrow() {
        for (String value :
                List.of("", " ", ";", ",", "\"", "attachment\0", "text/event-stream" + "x".repeat(10_000))) {
            STANDARD.classify(Request.with("accept", value));
            STANDARD.upgrade(DEFAULT, new Response(200, "content-type", value));
            STANDARD.upgrade(DEFAULT, new Response(200, "content-disposition", value));
        }
        assertThat(STANDARD.classify(Request.of("/".repeat(16_000)))).isEqualTo(DEFAULT);
        assertThat(STANDARD.upgrade(WEBSOCKET, new Response(200, "content-type", "")))
                .isEqualTo(WEBSOCKET);
    }

    @Test
    @SuppressWarnings("NullAway")
    void nullListsAreRefused() {
        assertThatNullPointerException().isThrownBy(() -> STANDARD.withLongPaths(null));
        assertThatNullPointerException().isThrownBy(() -> STANDARD.withDownloadSegments(null));
        assertThatNullPointerException().isThrownBy(() -> STANDARD.withDownloadExtensions(null));
    }
}
