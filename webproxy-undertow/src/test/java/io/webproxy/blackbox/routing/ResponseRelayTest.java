package io.webproxy.blackbox.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.observe.ForwardError;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.OverHttp1;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an upstream may answer, and what the client then sees. */
@ExtendWith(LeakCheck.class)
class ResponseRelayTest {
    @OverEachFront
    void bodyWithContentLengthPasses(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 5¶X-Own: yes¶¶hello");
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            for (int i = 0; i < 3; i++) {
                try (Response response = proxy.get("/a")) {
                    assertThat(response.code()).isEqualTo(200);
                    assertThat(response.header("X-Own")).isEqualTo("yes");
                    assertThat(response.headers("Date")).hasSize(1);
                    assertThat(response.body().string()).isEqualTo("hello");
                }
            }
            assertThat(upstream.connections())
                    .as("the connection is kept alive")
                    .isEqualTo(1);
            assertThat(proxy.record().error()).isEmpty();
        }
    }

    /** RFC 9110 section 6.6.1. */
    @OverEachFront
    void answerWithoutDateGetsTheTimeOfReceipt(Front front) throws Exception {
        for (String status : List.of("200 OK", "204 No Content", "304 Not Modified", "404 Not Found", "503 Busy")) {
            try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 " + status + "¶Content-Length: 0¶¶");
                    TestProxy proxy = TestProxy.start(front, upstream.uri())) {
                Instant before = Instant.now().truncatedTo(ChronoUnit.SECONDS);
                try (Response response = proxy.get("/")) {
                    assertThat(response.headers("Date")).as(status).hasSize(1);
                    assertThat(response.headers().getInstant("Date")).isBetween(before, Instant.now());
                    assertThat(response.header("Date"))
                            .matches("[A-Z][a-z]{2}, \\d\\d [A-Z][a-z]{2} \\d{4} [0-9:]{8} GMT");
                }
            }
        }
    }

    @OverEachFront
    void dateOfTheUpstreamStaysAndTheRouteMayRemoveIt(Front front) throws Exception {
        try (RawUpstream dated = RawUpstream.answering(
                        "HTTP/1.1 200 OK¶date: Sun, 06 Nov 1994 08:49:37 GMT¶Content-Length: 0¶¶");
                RawUpstream undated = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 0¶¶");
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.forward(dated.uri())
                                .route(r -> r.path("/none")
                                        .removeResponseHeader("Date")
                                        .forward(undated.uri())))) {
            try (Response response = proxy.get("/")) {
                assertThat(response.headers("Date")).containsExactly("Sun, 06 Nov 1994 08:49:37 GMT");
            }
            try (Response response = proxy.get("/none")) {
                assertThat(response.headers("Date")).isEmpty();
            }
        }
    }

    @Test
    void interimResponseGetsNoDate() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(
                        "HTTP/1.1 103 Early Hints¶Link: </a.css>¶¶HTTP/1.1 200 OK¶Content-Length: 0¶¶");
                TestProxy proxy = TestProxy.start(Front.H1, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.1¶Host: a¶¶");
            assertThat(client.readHead()).startsWith("HTTP/1.1 103 ").doesNotContain("Date: ");
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ").containsOnlyOnce("\r\nDate: ");
        }
    }

    @OverEachFront
    void closeDelimitedBodyPasses(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.0 200 OK¶¶until the end");
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Response response = proxy.get("/")) {
            assertThat(response.body().string()).isEqualTo("until the end");
        }
    }

    @OverEachFront
    void trailersPassByAllowList(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 200 OK¶Transfer-Encoding: chunked¶¶"
                        + "5¶hello¶0¶X-Checksum: abc¶Content-Length: 3¶Authorization: no¶¶");
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Response response = proxy.get("/")) {
            assertThat(response.body().string()).isEqualTo("hello");
            assertThat(response.trailers().get("X-Checksum")).isEqualTo("abc");
            assertThat(response.trailers().get("Authorization")).isNull();
            assertThat(response.trailers().get("Content-Length")).isNull();
        }
    }

    @OverEachFront
    void notModifiedWithContentLengthHasNoBodyAndKeepsTheConnection(Front front) throws Exception {
        try (RawUpstream upstream =
                        RawUpstream.answering("HTTP/1.1 304 Not Modified¶Content-Length: 1234¶ETag: \"x\"¶¶");
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            for (int i = 0; i < 2; i++) {
                try (Response response = proxy.get("/")) {
                    assertThat(response.code()).isEqualTo(304);
                    assertThat(response.header("ETag")).isEqualTo("\"x\"");
                    assertThat(response.body().string()).isEmpty();
                }
            }
            assertThat(upstream.connections()).isEqualTo(1);
        }
    }

    @OverEachFront
    void headAnd204HaveNoBodyWhateverTheFieldsSay(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                        c.send(
                                head.startsWith("HEAD")
                                        ? "HTTP/1.1 200 OK¶Content-Length: 99¶¶"
                                        : "HTTP/1.1 204 No Content¶Content-Length: 7¶¶");
                    }
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            Request head = new Request.Builder().url(proxy.url("/")).head().build();
            for (int i = 0; i < 2; i++) {
                try (Response response = proxy.client().newCall(head).execute()) {
                    assertThat(response.code()).isEqualTo(200);
                    assertThat(response.header("Content-Length")).isEqualTo("99");
                }
                try (Response response = proxy.get("/")) {
                    assertThat(response.code()).isEqualTo(204);
                }
            }
            assertThat(upstream.connections()).isEqualTo(1);
        }
    }

    @OverEachFront
    void statusLineWithoutReasonPasses(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 200¶Content-Length: 2¶¶ok");
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Response response = proxy.get("/")) {
            assertThat(response.body().string()).isEqualTo("ok");
        }
    }

    @ParameterizedTest
    @CsvSource({"H1, 102", "H1, 103", "H1_TLS, 102", "H1_TLS, 103", "H1_TLS_JDK, 103"})
    void interimResponseReachesTheClientBeforeTheAnswer(Front front, int interim) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 " + interim
                        + " Interim¶Link: </a.css>; rel=preload¶¶" + "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                RawConnection client = proxy.raw()) {
            for (int i = 0; i < 2; i++) {
                client.send("GET / HTTP/1.1¶Host: localhost¶¶");
                assertThat(client.readHead())
                        .startsWith("HTTP/1.1 " + interim + " ")
                        .contains("Link: </a.css>; rel=preload");
                assertThat(client.readResponse()).startsWith("HTTP/1.1 200 OK").endsWith("ok");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"H2_TLS, 102", "H2_TLS, 103", "H2_TLS_JDK, 103"})
    void interimResponseReachesTheHttp2ClientBeforeTheAnswer(Front front, String interim) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 " + interim
                        + " Interim¶Link: </a.css>; rel=preload¶¶" + "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            client.request(1, "GET", "/", "localhost");
            assertThat(client.answer(1)).isEqualTo(interim);
            assertThat(client.answer(1)).isEqualTo("200");
            Http2Client.Frame data = client.read(1);
            assertThat(data.type()).isEqualTo(Http2Client.DATA);
            assertThat(new String(data.payload(), java.nio.charset.StandardCharsets.US_ASCII))
                    .isEqualTo("ok");
        }
    }

    /**
     * A client that waits for 100 may get the final answer in its place, and never sends its body (RFC 9110 section
     * 10.1.1).
     */
    @OverHttp1
    void finalAnswerInPlaceOf100ReachesTheClient(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 401 Unauthorized¶Content-Length: 2¶¶no");
                    c.end();
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send("POST / HTTP/1.1¶Host: localhost¶Content-Length: 100¶Expect: 100-continue¶¶");
            assertThat(client.readResponse())
                    .startsWith("HTTP/1.1 401 ")
                    .containsIgnoringCase("connection: close")
                    .endsWith("no");
            assertThat(client.end()).isEqualTo("end");
            assertThat(proxy.record().error()).isEmpty();
        }
    }

    @OverEachFront
    void continueIsRelayedEndToEnd(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    String head = c.readHead();
                    assertThat(head.toLowerCase(java.util.Locale.ROOT)).contains("expect: 100-continue");
                    c.send("HTTP/1.1 100 Continue¶¶");
                    String body = c.read(5);
                    c.send("HTTP/1.1 200 OK¶Content-Length: 5¶¶" + body);
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            Request request = new Request.Builder()
                    .url(proxy.url("/"))
                    .header("Expect", "100-continue")
                    .post(okhttp3.RequestBody.create("hello".getBytes(java.nio.charset.StandardCharsets.UTF_8)))
                    .build();
            try (Response response = proxy.client().newCall(request).execute()) {
                assertThat(response.body().string()).isEqualTo("hello");
            }
            assertThat(upstream.failures()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/2 200 OK¶¶",
                "HTTP/1.1 2x0 OK¶¶",
                "nonsense¶¶",
                "HTTP/1.1 200 OK¶Content-Length: 5¶Content-Length: 6¶¶hello",
                "HTTP/1.1 200 OK¶Content-Length: -5¶¶hello",
                "HTTP/1.1 200 OK¶Content-Length: 0x5¶¶hello",
                "HTTP/1.1 200 OK¶Content-Length: 99999999999999999999¶¶hello",
                "HTTP/1.1 200 OK¶Content-Length: 5¶Transfer-Encoding: chunked¶¶0¶¶",
                "HTTP/1.1 200 OK¶Transfer-Encoding: chunked¶Transfer-Encoding: chunked¶¶0¶¶",
                "HTTP/1.1 200 OK¶Transfer-Encoding: gzip¶¶x",
                "HTTP/1.0 200 OK¶Transfer-Encoding: chunked¶¶0¶¶",
                "HTTP/1.1 200 OK¶X: a\0b¶¶",
                "HTTP/1.1 200 OK¶X: a\rb¶¶",
                "HTTP/1.1 200 OK¶X: a¶ folded¶¶",
                "HTTP/1.1 200 OK\nX: a\n\n",
                "HTTP/1.1 101 Switching Protocols¶Upgrade: websocket¶Connection: upgrade¶¶",
                "HTTP/1.1 200 OK¶Content-Len",
                ""
            })
    void invalidAnswerIs502AndTheConnectionIsClosed(String answer) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(answer);
                    if (answer.endsWith("¶¶") || answer.endsWith("\n\n")) {
                        assertThat(c.readByte()).isEqualTo(-1);
                    }
                });
                TestProxy proxy = TestProxy.start(Front.H1, upstream.uri());
                Response response = proxy.get("/")) {
            assertThat(response.code()).isEqualTo(502);
            assertThat(proxy.record().error().orElseThrow())
                    .isIn(ForwardError.INVALID_RESPONSE, ForwardError.UPSTREAM_CLOSED);
        }
    }

    @Test
    void headAboveTheLimitIs502() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶X: " + "a".repeat(70_000) + "¶¶");
                });
                TestProxy proxy = TestProxy.start(Front.H1, upstream.uri());
                Response response = proxy.get("/")) {
            assertThat(response.code()).isEqualTo(502);
            assertThat(proxy.record().error()).contains(ForwardError.RESPONSE_HEAD_TOO_LARGE);
        }
    }

    /** A cookie has a line of its own; other values may become a list (RFC 9110 section 5.3). */
    @OverEachFront
    void manyFieldsOfOneNamePassWithinTheLimits(Front front) throws Exception {
        StringBuilder lines = new StringBuilder();
        List<String> cookies = new ArrayList<>();
        for (int i = 0; i < 190; i++) {
            cookies.add("c" + i + "=a, b");
            lines.append("Set-Cookie: c").append(i).append("=a, b¶");
        }
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 0¶" + lines + "¶");
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Response response = proxy.get("/")) {
            assertThat(response.code()).isEqualTo(200);
            assertThat(response.headers("Set-Cookie")).isEqualTo(cookies);
        }
        try (RawUpstream upstream =
                        RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 0¶" + "Vary: a¶".repeat(190) + "¶");
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Response response = proxy.get("/")) {
            assertThat(response.code()).isEqualTo(200);
            assertThat(String.join(", ", response.headers("Vary"))).isEqualTo("a" + ", a".repeat(189));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "H1, 'HTTP/1.1 200 OK¶Content-Length: 10¶¶hello'",
        "H2_TLS, 'HTTP/1.1 200 OK¶Content-Length: 10¶¶hello'",
        "H1, 'HTTP/1.1 200 OK¶Transfer-Encoding: chunked¶¶5¶hello¶'",
        "H1_TLS, 'HTTP/1.1 200 OK¶Transfer-Encoding: chunked¶¶5¶hello¶'",
        "H2_TLS, 'HTTP/1.1 200 OK¶Transfer-Encoding: chunked¶¶5¶hello¶'",
        "H1, 'HTTP/1.1 200 OK¶Transfer-Encoding: chunked¶¶5¶helloX¶0¶¶'",
        "H1, 'HTTP/1.1 200 OK¶Transfer-Encoding: chunked¶¶5x¶hello¶0¶¶'"
    })
    void truncatedBodyIsAnAbortNeverACleanEnd(Front front, String answer) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(answer);
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            assertThatThrownBy(() -> {
                        try (Response response = proxy.get("/")) {
                            assertThat(response.code()).isEqualTo(200);
                            response.body().string();
                        }
                    })
                    .isInstanceOf(IOException.class);
            assertThat(proxy.record().error()).contains(ForwardError.RESPONSE_BODY_TRUNCATED);
            proxy.awaitIdle();
        }
    }

    @Test
    void closeDelimitedClientIsResetWhenTheUpstreamBreaksOff() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶Transfer-Encoding: chunked¶¶5¶hello¶");
                });
                TestProxy proxy = TestProxy.start(Front.H1, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.0¶Host: localhost¶¶");
            assertThat(client.readHead()).startsWith("HTTP/1.0 200").doesNotContainIgnoringCase("chunked");
            assertThat(client.drain()).isEqualTo("reset");
        }
    }

    @Test
    void surplusBytesSpoilTheConnection() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 2¶¶okHTTP/1.1 200 OK¶¶");
                TestProxy proxy = TestProxy.start(Front.H1, upstream.uri())) {
            for (int i = 0; i < 3; i++) {
                try (Response response = proxy.get("/")) {
                    assertThat(response.body().string()).isEqualTo("ok");
                }
            }
            assertThat(upstream.connections()).isEqualTo(3);
        }
    }

    @Test
    void hopByHopFieldsOfTheAnswerStayBehind() throws Exception {
        try (RawUpstream upstream =
                        RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 2¶Connection: keep-alive, X-Hop¶X-Hop:"
                                + " 1¶Keep-Alive: timeout=5¶Proxy-Authenticate: Basic¶Server: own¶Set-Cookie: a=b;"
                                + " Path=/¶Set-Cookie: c=d¶Location: http://elsewhere/¶¶ok");
                TestProxy proxy = TestProxy.start(Front.H1, upstream.uri());
                Response response = proxy.get("/")) {
            assertThat(response.headers().names())
                    .containsExactlyInAnyOrder("Content-Length", "Server", "Set-Cookie", "Location", "Date");
            assertThat(response.headers("Set-Cookie")).containsExactly("a=b; Path=/", "c=d");
        }
    }
}
