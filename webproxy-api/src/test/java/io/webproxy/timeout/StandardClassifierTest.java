package io.webproxy.timeout;

import static io.webproxy.timeout.TimeoutClass.DEFAULT;
import static io.webproxy.timeout.TimeoutClass.DOWNLOAD;
import static io.webproxy.timeout.TimeoutClass.LONG;
import static io.webproxy.timeout.TimeoutClass.WEBSOCKET;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.webproxy.http.PlainRequest;
import io.webproxy.http.ResponseHead;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StandardClassifierTest {
    private static final StandardClassifier STANDARD = StandardClassifier.defaults();

    /** A request of which only path and fields matter; names of fields in lower case. */
    private record Request(String method, String path, Map<String, List<String>> fields) implements PlainRequest {
        Request(String path, Map<String, List<String>> fields) {
            this("GET", path, fields);
        }

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
    }

    /** A response of a status and one field, whose name is in lower case. */
    private record Response(int status, String name, String value) implements ResponseHead {
        @Override
        public List<String> headers(String wanted) {
            return wanted.equalsIgnoreCase(name) ? List.of(value) : List.of();
        }

        @Override
        public Optional<String> header(String wanted) {
            return headers(wanted).stream().findFirst();
        }
    }

    /** A response of several fields, whose names are in lower case. */
    private record ManyFields(int status, Map<String, String> fields) implements ResponseHead {
        @Override
        public List<String> headers(String wanted) {
            return header(wanted).map(List::of).orElse(List.of());
        }

        @Override
        public Optional<String> header(String wanted) {
            return Optional.ofNullable(fields.get(wanted.toLowerCase(Locale.ROOT)));
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
                "/v1/completions",
                "/v1/responses",
                "/v1/responses/resp_7/cancel",
                "/v1/messages",
                "/v1/messages/count_tokens",
                "/v1/images/generations",
                "/v1/audio/speech",
                "/v1/audio/",
                "/v1/embeddings",
                "/v1/batches/7",
                "/v1/rerank",
                "/openai/v1/responses",
                "/openai/v1/audio/transcriptions",
                "/V1/Responses",
                "/v1/v1/responses",
                "/embedding-model/v1/embeddings",
                "/api/embed",
                "/api/pull",
                "/api/create",
                "/ollama/api/embed",
                "/v2/models/resnet/infer",
                "/v2/models/resnet/versions/1/infer",
                "/triton/v2/models/resnet/infer",
                "/sdapi/v1/txt2img",
                "/gradio_api/queue/join",
                "/gradio_api/queue/data",
                "/queue/join",
                "/queue/data",
                "/demo/queue/data"
            })
    void pathOfAModelServerIsLongBelowAPrefixToo(String path) {
        assertThat(STANDARD.classify(Request.of(path))).isEqualTo(LONG);
        assertThat(STANDARD.plusLongPaths("/think").classify(Request.of(path))).isEqualTo(LONG);
        assertThat(STANDARD.withDownloadSegments(Set.of()).classify(Request.of(path)))
                .isEqualTo(LONG);
        assertThat(STANDARD.withLongPaths(List.of()).classify(Request.of(path))).isEqualTo(DEFAULT);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/images/a.png",
                "/survey/responses",
                "/audio",
                "/embeddings",
                "/v1",
                "/v1/",
                "/v1/models",
                "/v1/models/responses",
                "/v1/responses-archive",
                "/v1/imagesx/1",
                "/v1x/responses",
                "/xv1/responses",
                "/v10/responses",
                "/v1//responses",
                "/v1/responses;x",
                "/api/pull-requests",
                "/api/embedded",
                "/api/created/7",
                "/myapi/pull",
                "/v2/models/infer",
                "/v2/models/resnet",
                "/v2/models/resnet/infer/x",
                "/v2/models/resnet/inferred",
                "/sdapi",
                "/gradio_api/queue",
                "/gradio_api/info",
                "/queue/joined",
                "/queue",
                "/queue/database"
            })
    void halfASegmentAndTheSameWordElsewhereAreNoPathOfAModelServer(String path) {
        assertThat(STANDARD.classify(Request.of(path))).isEqualTo(DEFAULT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/audio/speech.mp3", "/v1/files/responses", "/v1/batches/7/files", "/v1/images/a.zip"})
    void fileOfAModelServerIsDownload(String path) {
        assertThat(STANDARD.classify(Request.of(path))).isEqualTo(DOWNLOAD);
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
                "/a/FILES/b",
                "/download",
                "/x/Download",
                "/downloads",
                "/files"
            })
    void filePathIsDownload(String path) {
        assertThat(STANDARD.classify(Request.of(path))).isEqualTo(DOWNLOAD);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/a.zip/b",
                "/zip",
                "/azip",
                "/a.zipx",
                "/a.zip;x",
                "/xdownload/7",
                "/downloadx/7",
                "/my-files/7",
                "/xdownload",
                "/downloadx",
                "/download;v=1",
                "/my-files",
                "download",
                "/"
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
                "accept | application/* | DEFAULT",
                "accept | text/event-streams | DEFAULT",
                "accept | xtext/event-stream | DEFAULT",
                "accept | text/event-stream+x, text/html | DEFAULT",
                "accept | application/x-ndjsonx | DEFAULT",
                "accept | application/octet-streams | DEFAULT",
                "accept | text/html;x=text/event-stream | DEFAULT",
                "accept | text/html;x=application/octet-stream, */* | DEFAULT",
                "accept | text/event-stream ; charset=utf-8 | LONG",
                "accept | text/html;level=1 ,text/event-stream;q=0.9;x=y,*/* | LONG",
                "accept | ,,text/event-stream | LONG",
                "accept | text/html,application/octet-stream;q=0.1 | DOWNLOAD",
                "accept | text/html | DEFAULT",
                "range | bytes=0- | DOWNLOAD",
                "range | nonsense | DOWNLOAD",
                "content-type | text/event-stream | DEFAULT",
                "content-type | application/grpc | LONG",
                "content-type | Application/gRPC+proto; x=y | LONG",
                "content-type | application/grpc-web | LONG",
                "content-type | application/grpc-web-text+proto | LONG",
                "content-type | application/grpcx | DEFAULT",
                "content-type | application/grp | DEFAULT",
                "accept | application/grpc-web-text | LONG",
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

    private static Request upgrading(String method, String path, List<String> upgrade, List<String> connection) {
        return new Request(method, path, Map.of("upgrade", upgrade, "connection", connection));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/api/chat", "/events", "/stream/ws", "/download", "/files/7", "/a.zip"})
    void webSocketHandshakeIsDefaultWhateverItsPath(String path) {
        for (List<String> upgrade : List.of(
                List.of("websocket"), List.of("WebSocket"), List.of("h2c, websocket"), List.of("h2c", "websocket"))) {
            for (List<String> connection : List.of(
                    List.of("Upgrade"),
                    List.of("keep-alive, Upgrade"),
                    List.of("upgrade,close"),
                    List.of("keep-alive", "upgrade"))) {
                assertThat(STANDARD.classify(upgrading("GET", path, upgrade, connection)))
                        .isEqualTo(DEFAULT);
            }
        }
    }

    @Test
    void webSocketHandshakeIsDefaultWhateverItAccepts() {
        for (String type : List.of("text/event-stream", "application/octet-stream")) {
            assertThat(STANDARD.classify(new Request(
                            "/events",
                            Map.of(
                                    "upgrade", List.of("websocket"),
                                    "connection", List.of("upgrade"),
                                    "accept", List.of(type),
                                    "range", List.of("bytes=0-")))))
                    .isEqualTo(DEFAULT);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "POST | websocket | upgrade",
                "get | websocket | upgrade",
                "CONNECT | websocket | upgrade",
                "GET | h2c | upgrade",
                "GET | websockets | upgrade",
                "GET | xwebsocket, h2c | upgrade",
                "GET | websocket | keep-alive",
                "GET | websocket | upgrades"
            })
    void whatIsNoWebSocketHandshakeHasTheClassOfItsPath(String method, String upgrade, String connection) {
        assertThat(STANDARD.classify(upgrading(method, "/events", List.of(upgrade), List.of(connection))))
                .isEqualTo(LONG);
        assertThat(STANDARD.classify(upgrading(method, "/download", List.of(upgrade), List.of(connection))))
                .isEqualTo(DOWNLOAD);
    }

    @Test
    void webSocketHandshakeNeedsBothFields() {
        assertThat(STANDARD.classify(new Request("/events", Map.of("upgrade", List.of("websocket")))))
                .isEqualTo(LONG);
        assertThat(STANDARD.classify(new Request("/events", Map.of("connection", List.of("upgrade")))))
                .isEqualTo(LONG);
    }

    @Test
    void downloadWinsOverLong() {
        assertThat(STANDARD.classify(Request.of("/stream/film.mp4"))).isEqualTo(DOWNLOAD);
        assertThat(STANDARD.classify(new Request("/events", Map.of("range", List.of("bytes=0-")))))
                .isEqualTo(DOWNLOAD);
        assertThat(STANDARD.classify(new Request("/files/7", Map.of("accept", List.of("text/event-stream")))))
                .isEqualTo(DOWNLOAD);
        assertThat(STANDARD.upgrade(
                        LONG,
                        new ManyFields(
                                200, Map.of("content-type", "text/event-stream", "content-disposition", "attachment"))))
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
                "101 | content-disposition | attachment | WEBSOCKET",
                "206 | content-disposition | inline | DOWNLOAD",
                "404 | content-disposition | attachment | DOWNLOAD",
                "200 | content-disposition | attachment ; filename=a | DOWNLOAD",
                "200 | content-type | application/grpc | LONG",
                "200 | content-type | application/grpc+json | LONG",
                "200 | content-type | application/grpc-web+proto | LONG",
                "200 | content-type | application/grpc-other | DEFAULT",
                "200 | content-type | xtext/event-stream | DEFAULT",
                "200 | content-type | text/plain;x=text/event-stream | DEFAULT",
                "200 | content-type | APPLICATION/X-NDJSON ; charset=utf-8 | LONG",
                "200 | accept | text/event-stream | DEFAULT",
                "100 | content-type | text/plain | DEFAULT",
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
    void listsCanBeAddedToOneByOne() {
        StandardClassifier more = STANDARD.plusLongPaths("/Think", "/ponder")
                .plusLongTypes("Application/X-Slow", "text/slow")
                .plusDownloadSegments("Blobs", "archive")
                .plusDownloadExtensions("BIG", "huge");

        for (String path : List.of("/x/think/1", "/PONDER", "/api/chat", "/events")) {
            assertThat(more.classify(Request.of(path))).as(path).isEqualTo(LONG);
        }
        for (String path : List.of("/blobs/1", "/ARCHIVE", "/download/1", "/a.big", "/a.Huge", "/a.zip")) {
            assertThat(more.classify(Request.of(path))).as(path).isEqualTo(DOWNLOAD);
        }
        for (String type : List.of("application/x-slow", "TEXT/SLOW;q=1", "text/event-stream")) {
            assertThat(more.classify(Request.with("accept", type))).as(type).isEqualTo(LONG);
            assertThat(more.upgrade(DEFAULT, new Response(200, "content-type", type)))
                    .as(type)
                    .isEqualTo(LONG);
        }
    }

    @Test
    void listsThatAreAddedToStayAsTheyWere() {
        StandardClassifier ignored = STANDARD.plusLongPaths("/think")
                .plusLongTypes("text/slow")
                .plusDownloadSegments("blobs")
                .plusDownloadExtensions("big");
        StandardClassifier kept =
                STANDARD.plusLongPaths("/think").plusLongTypes().plusDownloadExtensions();

        assertThat(ignored).isNotSameAs(STANDARD);
        for (Request request : List.of(
                Request.of("/think"),
                Request.of("/blobs/1"),
                Request.of("/a.big"),
                Request.with("accept", "text/slow"))) {
            assertThat(STANDARD.classify(request)).isEqualTo(DEFAULT);
        }
        assertThat(kept.classify(Request.of("/think"))).isEqualTo(LONG);
        assertThat(kept.classify(Request.of("/a.zip"))).isEqualTo(DOWNLOAD);
    }

    @Test
    void longTypesCanBeReplaced() {
        StandardClassifier own = STANDARD.withLongTypes(Set.of("Text/Slow"));

        assertThat(own.classify(Request.with("accept", "text/slow"))).isEqualTo(LONG);
        assertThat(own.classify(Request.with("accept", "text/event-stream"))).isEqualTo(DEFAULT);
        assertThat(own.classify(Request.with("content-type", "application/grpc")))
                .isEqualTo(DEFAULT);
        assertThat(own.upgrade(DEFAULT, new Response(200, "content-type", "text/slow; x=y")))
                .isEqualTo(LONG);
        assertThat(own.upgrade(DEFAULT, new Response(200, "content-type", "text/event-stream")))
                .isEqualTo(DEFAULT);
        assertThat(own.classify(Request.with("accept", "application/octet-stream")))
                .isEqualTo(DOWNLOAD);
    }

    @Test
    void laterChangesOfAListGivenAreNotSeen() {
        List<String> paths = new ArrayList<>(List.of("/think"));
        Set<String> types = new HashSet<>(Set.of("text/slow"));
        StandardClassifier own = STANDARD.withLongPaths(paths).withLongTypes(types);
        paths.add("/other");
        types.add("text/other");

        assertThat(own.classify(Request.of("/other"))).isEqualTo(DEFAULT);
        assertThat(own.classify(Request.with("accept", "text/other"))).isEqualTo(DEFAULT);
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
        assertThatNullPointerException().isThrownBy(() -> STANDARD.withLongTypes(null));
        assertThatNullPointerException().isThrownBy(() -> STANDARD.plusLongPaths("/a", null));
        assertThatNullPointerException().isThrownBy(() -> STANDARD.plusLongTypes("a/b", null));
        assertThatNullPointerException().isThrownBy(() -> STANDARD.plusDownloadSegments("a", null));
        assertThatNullPointerException().isThrownBy(() -> STANDARD.plusDownloadExtensions((String[]) null));
    }
}
