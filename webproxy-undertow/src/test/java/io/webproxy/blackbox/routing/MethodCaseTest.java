package io.webproxy.blackbox.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.http.Answer;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.WebSocketHandshake;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestProxy;
import java.util.Locale;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Methods are compared as they are written (RFC 9110 section 9.1), so that answers end where clients think they do. */
@ExtendWith(LeakCheck.class)
class MethodCaseTest {
    private static String body(TestProxy proxy, String path) throws Exception {
        Request request =
                new Request.Builder().url(proxy.url(path)).method("head", null).build();
        try (Response response = proxy.client().newCall(request).execute()) {
            return response.code() + " " + response.body().string();
        }
    }

    @OverEachFront
    void answerToLowerCaseHeadHasItsBody(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                        c.send(
                                head.startsWith("head ")
                                        ? "HTTP/1.1 200 OK¶Content-Length: 4¶¶body"
                                        : "HTTP/1.1 404 Not Found¶Content-Length: 0¶¶");
                    }
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            assertThat(body(proxy, "/")).isEqualTo("200 body");
            assertThat(body(proxy, "/")).isEqualTo("200 body");
            assertThat(upstream.connections()).isEqualTo(1);
        }
    }

    @Test
    void nextAnswerIsNeverTakenForTheBodyOfOneToLowerCaseHead() throws Exception {
        try (TestProxy proxy = TestProxy.start(Front.H1, b -> b.route(r -> r.answer(Answer.text(200, "here"))));
                RawConnection client = proxy.raw()) {
            client.send("head / HTTP/1.1¶Host: a¶¶GET / HTTP/1.1¶Host: a¶¶");
            assertThat(client.readResponse()).endsWith("\r\n\r\nhere");
            assertThat(client.readResponse()).endsWith("\r\n\r\nhere");
        }
    }

    @Test
    void lowerCaseGetOpensNoWebSocket() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    String head = c.readHead();
                    c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶"
                            + (head.toLowerCase(Locale.ROOT).contains("upgrade") ? "up" : "no"));
                });
                TestProxy proxy = TestProxy.start(Front.H1, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send(WebSocketHandshake.REQUEST.replace("GET ", "get "));
            assertThat(client.readResponse()).endsWith("\r\n\r\nno");
        }
    }
}
