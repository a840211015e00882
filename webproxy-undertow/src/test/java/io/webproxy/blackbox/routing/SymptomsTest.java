package io.webproxy.blackbox.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import io.webproxy.http.RequestHead;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Upstream;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Upstream;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import okhttp3.Credentials;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Symptoms of the table in the reference that are an option's default, and go with the option. */
@ExtendWith(LeakCheck.class)
class SymptomsTest {
    private static final String ANN = Credentials.basic("ann", "secret");

    private final BlockingQueue<String> heads = new LinkedBlockingQueue<>();

    private RawUpstream upstream() throws IOException {
        return RawUpstream.start(c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                heads.add(head.toLowerCase(Locale.ROOT));
                c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
            }
        });
    }

    /** Lets everybody pass, and leaves the credentials to the upstream. */
    private static final class Passing implements Authenticator {
        @Override
        public CompletionStage<AuthDecision> authenticate(RequestHead request) {
            return CompletableFuture.completedFuture(AuthDecision.granted("ann"));
        }

        @Override
        public boolean forwardsCredentials() {
            return true;
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H2_TLS"})
    void upstreamGetsAuthorizationOnlyWhereItOrTheAuthenticatorSaysSo(Front front) throws Exception {
        try (RawUpstream upstream = upstream();
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.basicAuth("ann", "secret")
                                .route(r -> r.forward(upstream.uri()))
                                .route(r -> r.path("/checks")
                                        .withoutAuthentication()
                                        .forward(upstream.uri()))
                                .route(r -> r.path("/own")
                                        .authenticator(new Passing())
                                        .forward(upstream.uri())))) {
            for (String path : new String[] {"/", "/checks", "/own"}) {
                try (Response response = proxy.get(path, "Authorization", ANN)) {
                    assertThat(response.code()).isEqualTo(200);
                    assertThat(heads.take().contains("\r\nauthorization: basic "))
                            .as(path)
                            .isEqualTo(!path.equals("/"));
                }
            }
        }
    }

    @Test
    void afterAProxyThatEndsTlsOnlyAnHttpPortIsNoEndlessRedirect() throws Exception {
        try (RawUpstream upstream = upstream();
                TestProxy proxy = TestProxy.start(
                        Front.H1_TLS,
                        b -> b.redirectHttp(0)
                                .http(0)
                                .trustedProxies("127.0.0.1")
                                .forward(upstream.uri()))) {
            String request = "GET / HTTP/1.1¶Host: a.example.com¶X-Forwarded-Proto: https¶Connection: close¶¶";
            try (RawConnection redirected = open(proxy, 1);
                    RawConnection served = open(proxy, 2)) {
                assertThat(redirected.send(request).readResponse())
                        .startsWith("HTTP/1.1 301 ")
                        .contains("Location: https://a.example.com");
                assertThat(served.send(request).readResponse()).endsWith("ok");
                assertThat(heads.take()).contains("\r\nx-forwarded-proto: https\r\n");
            }
        }
    }

    private static RawConnection open(TestProxy proxy, int endpoint) throws IOException {
        return RawConnection.open(
                proxy.server().endpoints().get(endpoint).address().getPort());
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS_JDK"})
    void upstreamWithACertificateOfAnotherCaIsTrustedWhereThatIsSaid(Front front) throws Exception {
        try (Http2Upstream upstream = Http2Upstream.start(true, exchange -> {});
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.route(r -> r.path("/trusted").forward(upstream.upstream()))
                                .route(r -> r.forward(Upstream.of("https+h2://127.0.0.1:" + upstream.port()))))) {
            try (Response response = proxy.get("/")) {
                assertThat(response.code()).isEqualTo(502);
                assertThat(proxy.record().error()).contains(ForwardError.CONNECT_TLS);
            }
            try (Response response = proxy.get("/trusted")) {
                assertThat(response.code()).isEqualTo(200);
            }
        }
    }
}
