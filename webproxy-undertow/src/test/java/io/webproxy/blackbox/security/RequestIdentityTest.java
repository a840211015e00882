package io.webproxy.blackbox.security;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyConfig;
import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import io.webproxy.http.Answer;
import io.webproxy.http.RequestHead;
import io.webproxy.route.FilterDecision;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverBothVersions;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import okhttp3.Credentials;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What the application learns of who sends a request, and which credentials the upstream doesn't get. */
@ExtendWith(LeakCheck.class)
class RequestIdentityTest {
    private final BlockingQueue<String> heads = new LinkedBlockingQueue<>();
    private RawUpstream upstream;

    @BeforeEach
    void startUpstream() throws IOException {
        upstream = RawUpstream.start(c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                StringBuilder trailers = new StringBuilder();
                if (head.contains("chunked")) {
                    String line;
                    do {
                        line = c.readLine();
                        trailers.append(line);
                    } while (!line.isBlank());
                }
                heads.add(head + trailers);
                c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
            }
        });
    }

    @AfterEach
    void stopUpstream() throws IOException {
        upstream.close();
    }

    private String head() throws InterruptedException {
        String head = heads.poll(30, TimeUnit.SECONDS);
        assertThat(head).isNotNull();
        return head.toLowerCase(Locale.ROOT);
    }

    @OverEachFront
    void filterKnowsUserRequestIdAndNamesOfFields(Front front) throws Exception {
        BlockingQueue<RequestHead> shown = new LinkedBlockingQueue<>();
        BlockingQueue<Object> said = new LinkedBlockingQueue<>();
        Consumer<ProxyConfig.Builder> configured = b -> b.basicAuth("ann", "secret")
                .route(r -> r.filter(request -> {
                            said.add(request.user());
                            said.add(request.requestId());
                            said.add(request.headerNames().stream()
                                    .map(name -> name.toLowerCase(Locale.ROOT))
                                    .toList());
                            said.add(request.clientCertificate());
                            shown.add(request);
                            return FilterDecision.proceed();
                        })
                        .forward(upstream.uri()))
                .route(r -> r.path("/open").withoutAuthentication().answer(request -> {
                    said.add(request.user());
                    return Answer.of(204);
                }));
        try (TestProxy proxy = TestProxy.start(front, configured)) {
            try (Response response = proxy.get(
                    "/", "Authorization", Credentials.basic("ann", "secret"), "X-Several", "1", "X-Several", "2")) {
                assertThat(response.code()).isEqualTo(200);
            }
            assertThat(said.take()).isEqualTo(Optional.of("ann"));
            Object id = said.take();
            assertThat(head()).contains("\r\nx-request-id: " + id + "\r\n");
            assertThat(proxy.record().requestId()).isEqualTo(id);
            assertThat(said.take())
                    .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.LIST)
                    .contains("x-several", "host", "user-agent", "authorization")
                    .doesNotHaveDuplicates();
            assertThat(said.take()).isEqualTo(Optional.empty());
            try (Response response = proxy.get("/open", "Authorization", Credentials.basic("ann", "secret"))) {
                assertThat(response.code()).isEqualTo(204);
            }
            assertThat(said.take()).as("nothing was checked").isEqualTo(Optional.empty());
        }
    }

    @OverBothVersions
    void userIsUnknownBeforeAuthenticationAndWhereTheAuthenticatorNamesNone(Front front) throws Exception {
        BlockingQueue<Optional<String>> users = new LinkedBlockingQueue<>();
        Authenticator named = request -> {
            users.add(request.user());
            return CompletableFuture.completedFuture(
                    AuthDecision.granted(request.header("X-Name").orElse("")));
        };
        try (TestProxy proxy = TestProxy.start(
                front,
                b -> b.authenticator(named)
                        .route(r -> r.answer(request -> {
                            users.add(request.user());
                            return Answer.of(204);
                        })))) {
            for (String name : List.of("bob", "")) {
                try (Response response = proxy.get("/", "X-Name", name)) {
                    assertThat(response.code()).isEqualTo(204);
                }
                assertThat(users.take()).isEmpty();
                assertThat(users.take()).isEqualTo(Optional.of(name).filter(text -> !text.isEmpty()));
                assertThat(proxy.record().user()).isEqualTo(Optional.of(name).filter(text -> !text.isEmpty()));
            }
        }
    }

    private TestProxy withKey(Front front, boolean hidden) {
        Authenticator byKey = request -> CompletableFuture.completedFuture(
                hidden
                        ? AuthDecision.granted("ann")
                                .removeRequestHeader("X-Sesame")
                                .removeRequestHeader("cookie")
                        : AuthDecision.granted("ann"));
        return TestProxy.start(
                front,
                b -> b.authenticator(byKey)
                        .route(r -> r.allowUnderscores()
                                .addRequestHeader("Cookie", "own=1")
                                .forward(upstream.uri())));
    }

    @OverEachFront
    void credentialsThatAnAuthenticatorHasCheckedNeverReachTheUpstream(Front front) throws Exception {
        String[] sent = {
            "X-Sesame",
            "open",
            "x-sesame",
            "open too",
            "X_Sesame",
            "open",
            "Cookie",
            "session=open",
            "Authorization",
            "Bearer open",
            "X-Other",
            "kept"
        };
        try (TestProxy proxy = withKey(front, true);
                Response response = proxy.get("/", sent)) {
            assertThat(response.code()).isEqualTo(200);
            assertThat(head())
                    .contains("\r\nx-other: kept\r\n", "\r\ncookie: own=1\r\n")
                    .doesNotContain("open");
        }
        try (TestProxy proxy = withKey(front, false);
                Response response = proxy.get("/", sent)) {
            assertThat(response.code()).isEqualTo(200);
            assertThat(head()).contains("x-sesame: open", "session=open").doesNotContain("bearer");
        }
    }

    @Test
    void credentialsInTrailersNeverReachTheUpstreamEither() throws Exception {
        try (TestProxy proxy = withKey(Front.H1, true);
                RawConnection client = proxy.raw()) {
            client.send("POST / HTTP/1.1¶Host: a¶Transfer-Encoding: chunked¶¶0¶"
                    + "X-Sesame: open¶X_Sesame: open¶X-Sum: 1¶¶");
            assertThat(client.readResponse()).endsWith("ok");
            assertThat(head()).contains("\r\nx-sum: 1\r\n").doesNotContain("open");
        }
    }
}
