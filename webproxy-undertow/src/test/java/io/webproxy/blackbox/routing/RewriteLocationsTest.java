package io.webproxy.blackbox.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.util.HttpString;
import io.webproxy.route.Balancing;
import io.webproxy.route.Route;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.WebSocketHandshake;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Upstream;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestProxy;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A service under a prefix that it doesn't know of: its redirects and cookies, and destinations of WebDAV. */
@ExtendWith(LeakCheck.class)
class RewriteLocationsTest {
    private final BlockingQueue<String> destinations = new LinkedBlockingQueue<>();

    /** Names itself as it was addressed, and as its own URI does. */
    private RawUpstream upstream() throws Exception {
        return RawUpstream.start(c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                String host = field(head, "Host");
                destinations.add(field(head, "Destination"));
                c.send("HTTP/1.1 302 Found¶Location: http://" + host
                        + "/login?next=/x¶Content-Location: http://127.0.0.1:"
                        + c.socket().getLocalPort()
                        + "/y¶Set-Cookie: id=1; Path=/¶Set-Cookie: __Host-a=1; Path=/; Secure¶"
                        + "Content-Length: 0¶¶");
            }
        });
    }

    private static String field(String head, String name) {
        return head.lines()
                .filter(line -> line.regionMatches(true, 0, name + ":", 0, name.length() + 1))
                .map(line -> line.substring(name.length() + 1).strip())
                .findFirst()
                .orElse("none");
    }

    private static TestProxy proxy(Front front, RawUpstream upstream, Consumer<Route.Builder> more) {
        return TestProxy.start(
                front,
                b -> b.route(r -> more.accept(r.path("/dav/").stripPrefix().forward(upstream.uri()))));
    }

    private String destination() throws InterruptedException {
        return destinations.poll(30, TimeUnit.SECONDS);
    }

    private static Response move(TestProxy proxy, String destination) throws Exception {
        return proxy.client()
                .newBuilder()
                .followRedirects(false)
                .build()
                .newCall(new Request.Builder()
                        .url(proxy.url("/dav/a"))
                        .method("MOVE", null)
                        .header("Destination", destination)
                        .build())
                .execute();
    }

    @OverEachFront
    void upstreamsOwnPlacesGetThePrefixBackAndDestinationLosesIt(Front front) throws Exception {
        try (RawUpstream upstream = upstream();
                TestProxy proxy = proxy(front, upstream, Route.Builder::rewriteLocations)) {
            String host = proxy.url("/").host() + ":" + proxy.port();
            try (Response response = move(proxy, proxy.url("/dav/b%20c").toString())) {
                assertThat(response.code()).isEqualTo(302);
                assertThat(response.headers("Location")).containsExactly("/dav/login?next=/x");
                assertThat(response.headers("Content-Location")).containsExactly("/dav/y");
                assertThat(response.headers("Set-Cookie"))
                        .containsExactly("id=1; Path=/dav/", "__Host-a=1; Path=/; Secure");
            }
            assertThat(destination()).isEqualTo("http://" + host + "/b%20c");
            for (String[] each : new String[][] {
                {"/dav/b", "/b"},
                {"https://other.example/dav/b", "https://other.example/dav/b"},
                {"no URI", "no URI"}
            }) {
                move(proxy, each[0]).close();
                assertThat(destination()).isEqualTo(each[1]);
            }
        }
    }

    @OverEachFront
    void withoutTheOptionAllPassesAsItCame(Front front) throws Exception {
        try (RawUpstream upstream = upstream();
                TestProxy proxy = proxy(front, upstream, r -> {})) {
            String destination = proxy.url("/dav/b").toString();
            try (Response response = move(proxy, destination)) {
                assertThat(response.header("Location"))
                        .isEqualTo("http://" + proxy.url("/").host() + ":" + proxy.port() + "/login?next=/x");
                assertThat(response.header("Content-Location")).isEqualTo(upstream.uri() + "/y");
                assertThat(response.headers("Set-Cookie")).contains("id=1; Path=/");
            }
            assertThat(destination()).isEqualTo(destination);
        }
    }

    @Test
    void destinationNamesTheHostThatTheUpstreamIsToldOf() throws Exception {
        try (RawUpstream upstream = upstream();
                TestProxy proxy =
                        proxy(Front.H1_TLS, upstream, r -> r.rewriteLocations().hostHeaderOfUpstream())) {
            try (Response response = move(proxy, proxy.url("/dav/b").toString())) {
                assertThat(response.header("Location")).isEqualTo("/dav/login?next=/x");
            }
            assertThat(destination()).isEqualTo(upstream.uri() + "/b");
        }
    }

    @Test
    void editsOfTheRouteAndTheProxysOwnCookieAreTheClientsAlready() throws Exception {
        try (RawUpstream upstream = upstream();
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.path("/dav/")
                                .stripPrefix()
                                .rewriteLocations()
                                .addResponseHeader("Set-Cookie", "b=2; Path=/b")
                                .forward(UpstreamGroup.of(upstream.uri()).balancing(Balancing.cookie("server")))))) {
            try (Response response = move(proxy, "/dav/b")) {
                assertThat(response.headers("Set-Cookie"))
                        .contains("id=1; Path=/dav/", "b=2; Path=/b")
                        .anyMatch(cookie -> cookie.startsWith("server=") && cookie.contains("; Path=/;"));
            }
        }
    }

    @Test
    void answerOfAWebSocketsHandshakeHasItsCookiesUnderThePrefix() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(WebSocketHandshake.ACCEPTED.replace("¶Upgrade:", "¶Set-Cookie: id=1; Path=/¶Upgrade:"));
                    c.readByte();
                });
                TestProxy proxy = proxy(Front.H1, upstream, Route.Builder::rewriteLocations);
                RawConnection client = proxy.raw()) {
            client.send(WebSocketHandshake.REQUEST.replace("GET /ws", "GET /dav/ws"));
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ").contains("\r\nSet-Cookie: id=1; Path=/dav/\r\n");
        }
    }

    @Test
    void upstreamOfHttp2DoesTheSame() throws Exception {
        try (Http2Upstream upstream = Http2Upstream.start(true, exchange -> {
                    destinations.add(exchange.getRequestHeaders().getFirst("Destination"));
                    exchange.setStatusCode(201);
                    exchange.getResponseHeaders()
                            .put(new HttpString("Location"), "https://" + exchange.getHostAndPort() + "/b");
                });
                TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        b -> b.route(r ->
                                r.path("/dav/").stripPrefix().rewriteLocations().forward(upstream.upstream())))) {
            try (Response response = move(proxy, proxy.url("/dav/b").toString())) {
                assertThat(response.header("Location")).isEqualTo("/dav/b");
            }
            assertThat(destination()).isEqualTo(proxy.url("/b").toString());
        }
    }
}
