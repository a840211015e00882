package io.webproxy.blackbox.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.util.HttpString;
import io.webproxy.route.Route;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.WebSocketHandshake;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Upstream;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestProxy;
import java.util.function.Consumer;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** An upstream can't send clients past the proxy (RFC 7838), unless its route lets it. */
@ExtendWith(LeakCheck.class)
class AltSvcTest {
    private static final String FIELDS = "Alt-Svc: h3=\":8443\"; ma=86400¶alt-svc: h2=\"other.example:443\"¶";
    private static final String ANSWER =
            "HTTP/1.1 103 Early Hints¶" + FIELDS + "¶HTTP/1.1 200 OK¶" + FIELDS + "Content-Length: 2¶¶ok";

    private static TestProxy proxy(Front front, RawUpstream upstream, Consumer<Route.Builder> more) {
        return TestProxy.start(front, b -> b.route(r -> more.accept(r.forward(upstream.uri()))));
    }

    private static Response get(TestProxy proxy) throws Exception {
        return proxy.client()
                .newCall(new Request.Builder().url(proxy.url("/")).build())
                .execute();
    }

    @OverEachFront
    void upstreamsAlternativesAreDropped(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(ANSWER);
                TestProxy proxy = proxy(front, upstream, r -> {});
                Response response = get(proxy)) {
            assertThat(response.body().string()).isEqualTo("ok");
            assertThat(response.headers("Alt-Svc")).isEmpty();
        }
    }

    @OverEachFront
    void routeMayKeepThem(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(ANSWER);
                TestProxy proxy = proxy(front, upstream, Route.Builder::keepAltSvc);
                Response response = get(proxy)) {
            assertThat(response.body().string()).isEqualTo("ok");
            assertThat(response.headers("Alt-Svc"))
                    .containsExactly("h3=\":8443\"; ma=86400", "h2=\"other.example:443\"");
        }
    }

    @Test
    void whatTheRouteSaysItselfStays() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(ANSWER);
                TestProxy proxy = proxy(
                        Front.H1, upstream, r -> r.keepAltSvc().withoutAltSvc().setResponseHeader("Alt-Svc", "clear"));
                Response response = get(proxy)) {
            assertThat(response.headers("Alt-Svc")).containsExactly("clear");
        }
    }

    @Test
    void interimResponsesAndSwitchesHaveNoneEither() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(ANSWER);
                TestProxy proxy = proxy(Front.H1, upstream, r -> {});
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.1¶Host: a¶¶");
            assertThat(client.readHead()).startsWith("HTTP/1.1 103 ").doesNotContainIgnoringCase("alt-svc");
            assertThat(client.readResponse())
                    .doesNotContainIgnoringCase("alt-svc")
                    .endsWith("ok");
        }
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(WebSocketHandshake.ACCEPTED.replace("¶Upgrade:", "¶" + FIELDS + "Upgrade:"));
                    c.readByte();
                });
                TestProxy proxy = proxy(Front.H1, upstream, r -> {});
                RawConnection client = proxy.raw()) {
            client.send(WebSocketHandshake.REQUEST);
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ").doesNotContainIgnoringCase("alt-svc");
        }
    }

    @Test
    void upstreamOfHttp2HasNoOtherWay() throws Exception {
        try (Http2Upstream upstream = Http2Upstream.start(
                        true, exchange -> exchange.getResponseHeaders().put(new HttpString("Alt-Svc"), "h3=\":1\""));
                TestProxy proxy = TestProxy.start(Front.H2_TLS, b -> b.route(r -> r.forward(upstream.upstream())));
                Response response = get(proxy)) {
            assertThat(response.code()).isEqualTo(200);
            assertThat(response.headers("Alt-Svc")).isEmpty();
        }
    }
}
