package io.webproxy.blackbox.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyConfig;
import io.webproxy.http.ForwardedHeaders;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.WebSocketHandshake;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Upstream;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import okhttp3.Headers;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which forwarding fields the upstream gets, and that no client can make up one that isn't written. */
@ExtendWith(LeakCheck.class)
class ForwardedHeadersTest {
    private static final String[] FORGED = {
        "X-Forwarded-For", "192.0.2.66",
        "X-Forwarded-Proto", "forged",
        "X-Forwarded-Host", "forged.example",
        "X-Forwarded-Port", "forged",
        "X-Forwarded-Prefix", "/forged",
        "X-Forwarded-Server", "forged",
        "X-Forwarded-Ssl", "forged",
        "X-Real-IP", "192.0.2.66",
        "Forwarded", "for=192.0.2.66",
        "X_Forwarded_For", "192.0.2.66",
        "X.Real.IP", "192.0.2.66",
        "Forwarded_", "for=192.0.2.66"
    };

    private final BlockingQueue<String> heads = new LinkedBlockingQueue<>();
    private RawUpstream upstream;

    @BeforeEach
    void start() throws IOException {
        upstream = RawUpstream.start(c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                heads.add(head.toLowerCase(Locale.ROOT));
                c.send(
                        head.contains("websocket")
                                ? WebSocketHandshake.ACCEPTED
                                : "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
            }
        });
    }

    @AfterEach
    void stop() throws IOException {
        upstream.close();
    }

    private String head() throws InterruptedException {
        String head = heads.poll(30, TimeUnit.SECONDS);
        assertThat(head).isNotNull();
        return head;
    }

    /** What the upstream sees of a request with these fields to a route whose prefix is stripped. */
    private String seen(Front front, Consumer<ProxyConfig.Builder> more, String... fields) throws Exception {
        Consumer<ProxyConfig.Builder> all =
                more.andThen(b -> b.route(r -> r.path("/api").stripPrefix().forward(upstream.uri())));
        try (TestProxy proxy = TestProxy.start(front, all)) {
            Request request = new Request.Builder()
                    .url(proxy.url("/api/x"))
                    .headers(Headers.of(fields))
                    .build();
            try (Response response = proxy.client().newCall(request).execute()) {
                assertThat(response.code()).isEqualTo(200);
            }
        }
        return head();
    }

    /** The names of fields that look like forwarding fields. */
    private static Set<String> forwarding(String head) {
        Set<String> names = new TreeSet<>();
        for (String line : head.toLowerCase(Locale.ROOT).split("\r\n")) {
            String name = line.replaceFirst(":.*", "");
            if (name.contains("forwarded") || name.replaceAll("[^a-z]", "").equals("xrealip")) {
                names.add(name);
            }
        }
        return names;
    }

    @OverEachFront
    void withoutTheOptionAllAreWritten(Front front) throws Exception {
        String head = seen(front, b -> {}, FORGED);
        assertThat(forwarding(head))
                .containsExactlyInAnyOrder(
                        "x-forwarded-for",
                        "x-forwarded-proto",
                        "x-forwarded-host",
                        "x-forwarded-port",
                        "x-forwarded-prefix",
                        "x-real-ip",
                        "forwarded");
        assertThat(head).doesNotContain("192.0.2.66", "forged");
        assertThat(seen(front, b -> b.forwardedHeaders(ForwardedHeaders.all()), FORGED)
                        .lines()
                        .filter(line -> line.startsWith("forwarded:")))
                .hasSize(1);
    }

    @OverEachFront
    void clientCannotForgeAFamilyThatIsNotWritten(Front front) throws Exception {
        String x = seen(front, b -> b.forwardedHeaders(ForwardedHeaders.xForwarded()), FORGED);
        assertThat(forwarding(x))
                .containsExactlyInAnyOrder(
                        "x-forwarded-for",
                        "x-forwarded-proto",
                        "x-forwarded-host",
                        "x-forwarded-port",
                        "x-forwarded-prefix",
                        "x-real-ip");
        assertThat(x).contains("\r\nx-forwarded-for: 127.0.0.1\r\n").doesNotContain("192.0.2.66", "forged");

        String none = seen(front, b -> b.forwardedHeaders(ForwardedHeaders.none()), FORGED);
        assertThat(forwarding(none)).isEmpty();
        assertThat(none).doesNotContain("192.0.2.66", "forged").contains("\r\nx-request-id: ");
    }

    @OverEachFront
    void familyThatIsNotWrittenPassesAsATrustedProxyHasSentIt(Front front) throws Exception {
        Consumer<ProxyConfig.Builder> trusted = b -> b.trustedProxies("127.0.0.0/8", "::1");
        String none = seen(front, trusted.andThen(b -> b.forwardedHeaders(ForwardedHeaders.none())), FORGED);
        assertThat(none)
                .contains(
                        "\r\nx-forwarded-for: 192.0.2.66\r\n",
                        "\r\nx-forwarded-host: forged.example\r\n",
                        "\r\nx-forwarded-prefix: /forged\r\n",
                        "\r\nx-real-ip: 192.0.2.66\r\n",
                        "\r\nforwarded: for=192.0.2.66\r\n")
                .doesNotContain("x-forwarded-ssl", "x-forwarded-server", "x_forwarded", "x.real", "forwarded_");

        String x = seen(front, trusted.andThen(b -> b.forwardedHeaders(ForwardedHeaders.xForwarded())), FORGED);
        assertThat(x)
                .contains(
                        "\r\nx-forwarded-for: 192.0.2.66, 127.0.0.1\r\n",
                        "\r\nx-forwarded-prefix: /forged/api\r\n",
                        "\r\nforwarded: for=192.0.2.66\r\n")
                .doesNotContain("x_forwarded", "x.real", "forwarded_");
        assertThat(forwarding(seen(front, trusted.andThen(b -> b.forwardedHeaders(ForwardedHeaders.none())))))
                .isEmpty();
    }

    @Test
    void routeDecidesInPlaceOfTheServer() throws Exception {
        try (TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forwardedHeaders(ForwardedHeaders.none())
                                .route(r -> r.path("/x")
                                        .forwardedHeaders(ForwardedHeaders.xForwarded())
                                        .forward(upstream.uri()))
                                .route(r -> r.path("/server")
                                        .forwardedHeaders(ForwardedHeaders.all())
                                        .withServerForwardedHeaders()
                                        .forward(upstream.uri())));
                RawConnection client = proxy.raw()) {
            client.send("GET /x HTTP/1.1¶Host: a¶¶");
            assertThat(client.readResponse()).endsWith("ok");
            assertThat(head()).contains("\r\nx-forwarded-for: ").doesNotContain("\r\nforwarded: ");
            client.send("GET /server HTTP/1.1¶Host: a¶¶");
            assertThat(client.readResponse()).endsWith("ok");
            assertThat(forwarding(head())).isEmpty();

            proxy.server().update(c -> c.forwardedHeaders(ForwardedHeaders.all()));
            client.send("GET /server HTTP/1.1¶Host: a¶¶");
            assertThat(client.readResponse()).endsWith("ok");
            assertThat(head()).contains("\r\nforwarded: for=127.0.0.1;", "\r\nx-forwarded-for: ");
        }
    }

    @Test
    void trailersCarryNone() throws Exception {
        BlockingQueue<String> trailers = new LinkedBlockingQueue<>();
        try (RawUpstream chunks = RawUpstream.start(c -> {
                    heads.add(c.readHead());
                    StringBuilder lines = new StringBuilder();
                    String line;
                    do {
                        line = c.readLine();
                        lines.append(line);
                    } while (!line.equals("\r\n") && !line.isEmpty());
                    trailers.add(lines.toString().toLowerCase(Locale.ROOT));
                    c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                    c.readByte();
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.trustedProxies("127.0.0.0/8")
                                .forwardedHeaders(ForwardedHeaders.none())
                                .forward(chunks.uri()));
                RawConnection client = proxy.raw()) {
            client.send("POST / HTTP/1.1¶Host: a¶Transfer-Encoding: chunked¶¶1¶a¶0¶X-Forwarded-For: 192.0.2.66¶"
                    + "Forwarded: for=192.0.2.66¶X-Real-IP: 192.0.2.66¶X_Real_IP: 192.0.2.66¶X-Kept: yes¶¶");
            assertThat(client.readResponse()).endsWith("ok");
            assertThat(trailers.poll(30, TimeUnit.SECONDS))
                    .contains("x-kept: yes")
                    .doesNotContain("192.0.2.66");
        }
    }

    @Test
    void webSocketHandshakeHasTheSame() throws Exception {
        String forged = WebSocketHandshake.REQUEST.replace(
                "¶Upgrade:", "¶X-Forwarded-For: 192.0.2.66¶Forwarded: for=192.0.2.66¶Upgrade:");
        try (TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forwardedHeaders(ForwardedHeaders.none()).forward(upstream.uri()));
                RawConnection client = proxy.raw()) {
            client.send(forged);
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            String head = head();
            assertThat(head).contains("\r\nupgrade: websocket\r\n").doesNotContain("192.0.2.66");
            assertThat(forwarding(head)).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void upstreamOfHttp2GetsTheSame(boolean tls) throws Exception {
        try (Http2Upstream other = Http2Upstream.start(tls, exchange -> {
                    StringBuilder head = new StringBuilder();
                    exchange.getRequestHeaders()
                            .forEach(values ->
                                    head.append(values.getHeaderName()).append(":\r\n"));
                    heads.add(head.toString());
                });
                TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        b -> b.forwardedHeaders(ForwardedHeaders.xForwarded())
                                .route(r -> r.forward(other.upstream()))
                                .route(r -> r.path("/none")
                                        .forwardedHeaders(ForwardedHeaders.none())
                                        .forward(other.upstream())))) {
            for (String path : new String[] {"/", "/none"}) {
                Request request = new Request.Builder()
                        .url(proxy.url(path))
                        .headers(Headers.of(FORGED))
                        .build();
                try (Response response = proxy.client().newCall(request).execute()) {
                    assertThat(response.code()).isEqualTo(200);
                }
            }
            assertThat(forwarding(head()))
                    .contains("x-forwarded-for", "x-real-ip")
                    .doesNotContain("forwarded");
            assertThat(forwarding(head())).isEmpty();
        }
    }
}
