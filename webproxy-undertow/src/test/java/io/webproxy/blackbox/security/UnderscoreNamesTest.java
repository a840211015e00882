package io.webproxy.blackbox.security;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyConfig;
import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import io.webproxy.auth.BasicAuth;
import io.webproxy.route.FilterDecision;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import okhttp3.Credentials;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Fields whose names have underscores: where they pass, and which never do. */
@ExtendWith(LeakCheck.class)
class UnderscoreNamesTest {
    private static final Authenticator OWN =
            request -> CompletableFuture.completedFuture(AuthDecision.granted("someone"));

    private final BlockingQueue<String> seen = new LinkedBlockingQueue<>();
    private RawUpstream upstream;

    @BeforeEach
    void start() throws IOException {
        upstream = RawUpstream.start(c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                String trailers = "";
                if (head.contains("chunked")) {
                    String line;
                    do {
                        line = c.readLine();
                        trailers += line;
                    } while (!line.equals("\r\n") && !line.isEmpty());
                }
                seen.add((head + trailers).toLowerCase(Locale.ROOT));
                c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
            }
        });
    }

    @AfterEach
    void stop() throws IOException {
        upstream.close();
    }

    private String uri() {
        return upstream.uri();
    }

    /** What the upstream sees of a request with these fields. */
    private String seen(Front front, Consumer<ProxyConfig.Builder> configured, String... fields) throws Exception {
        try (TestProxy proxy = TestProxy.start(front, configured)) {
            Request.Builder request = new Request.Builder().url(proxy.url("/"));
            for (int i = 0; i < fields.length; i += 2) {
                request.addHeader(fields[i], fields[i + 1]);
            }
            request.header("Authorization", Credentials.basic("user", "secret"));
            try (Response response = proxy.client().newCall(request.build()).execute()) {
                assertThat(response.code()).isEqualTo(200);
            }
        }
        String head = seen.poll(30, TimeUnit.SECONDS);
        assertThat(head).isNotNull();
        return head;
    }

    @OverEachFront
    void namesWithUnderscoresPassWhereTheApplicationDecidesNothing(Front front) throws Exception {
        assertThat(seen(front, b -> b.forward(uri()), "api_key", "k1")).contains("\r\napi_key: k1\r\n");
        assertThat(seen(front, b -> b.forward(uri()).basicAuth("user", "secret"), "api_key", "k2"))
                .contains("\r\napi_key: k2\r\n");
    }

    @OverEachFront
    void filterAndAuthenticatorOfOnesOwnLetNonePassUnlessTheRouteAllowsThem(Front front) throws Exception {
        Consumer<ProxyConfig.Builder> filter =
                b -> b.route(r -> r.forward(uri()).filter(request -> FilterDecision.proceed()));
        Consumer<ProxyConfig.Builder> ofRoute =
                b -> b.route(r -> r.forward(uri()).authenticator(OWN));
        Consumer<ProxyConfig.Builder> ofServer = b -> b.forward(uri()).authenticator(OWN);
        for (Consumer<ProxyConfig.Builder> each : java.util.List.of(filter, ofRoute, ofServer)) {
            assertThat(seen(front, each, "api_key", "forged", "a.b", "forged", "x-own", "yes"))
                    .doesNotContain("forged")
                    .contains("\r\nx-own: yes\r\n");
        }
        assertThat(seen(
                        front,
                        b -> b.authenticator(OWN)
                                .route(r -> r.forward(uri())
                                        .allowUnderscores()
                                        .filter(request ->
                                                FilterDecision.proceed().setHeader("X-User", "me"))),
                        "api_key",
                        "k1",
                        "x_user",
                        "forged",
                        "x_real_ip",
                        "forged"))
                .contains("\r\napi_key: k1\r\n", "\r\nx-user: me\r\n")
                .doesNotContain("forged");
        assertThat(seen(
                        front,
                        b -> b.authenticator(OWN)
                                .route(r -> r.forward(uri()).authenticator(BasicAuth.of("user", "secret"))),
                        "api_key",
                        "k3"))
                .contains("\r\napi_key: k3\r\n");
    }

    @OverEachFront
    void serverMayDropThemAll(Front front) throws Exception {
        assertThat(seen(
                        front,
                        b -> b.dropUnderscoreHeaders(true)
                                .route(r -> r.forward(uri()).allowUnderscores()),
                        "api_key",
                        "gone",
                        "api-key",
                        "yes"))
                .contains("\r\napi-key: yes\r\n")
                .doesNotContain("gone");
    }

    @OverEachFront
    void clientCannotForgeWhatTheRouteMatchesSetsOrRemoves(Front front) throws Exception {
        Consumer<ProxyConfig.Builder> route = b -> b.route(r -> r.matchHeader("X-Match")
                .forward(uri())
                .setRequestHeader("X-Set", "own")
                .addRequestHeader("X-Add", "own")
                .setRequestHeader("own_key", "own")
                .removeRequestHeader("X-Gone")
                .removeRequestHeader("gone_too"));
        String[] forged = {
            "x-match",
            "yes",
            "x_match",
            "forged",
            "x_set",
            "forged",
            "x_add",
            "forged",
            "x_gone",
            "forged",
            "x.set",
            "forged",
            "own-key",
            "forged",
            "own.key",
            "forged",
            "own_key",
            "forged",
            "gone-too",
            "forged",
            "gone_too",
            "forged",
            "other_key",
            "fine"
        };

        assertThat(seen(front, route, forged))
                .contains("\r\nx-set: own\r\n", "\r\nx-add: own\r\n", "\r\nown_key: own\r\n", "\r\nother_key: fine\r\n")
                .doesNotContain("forged");
    }

    @Test
    void trailersFollowTheSameRule() throws Exception {
        String request =
                "POST / HTTP/1.1¶Host: a¶X-Sum: 1¶Transfer-Encoding: chunked¶¶0¶x-check_it: passes¶x_sum: forged¶¶";
        try (TestProxy proxy = TestProxy.start(Front.H1, uri());
                RawConnection client = proxy.raw()) {
            assertThat(client.send(request).readResponse()).endsWith("ok");
            assertThat(seen.poll(30, TimeUnit.SECONDS))
                    .contains("\r\nx-check_it: passes\r\n")
                    .doesNotContain("forged");
            proxy.server().update(b -> b.dropUnderscoreHeaders(true));
            assertThat(client.send(request).readResponse()).endsWith("ok");
            assertThat(seen.poll(30, TimeUnit.SECONDS)).doesNotContain("forged", "passes");
        }
    }
}
