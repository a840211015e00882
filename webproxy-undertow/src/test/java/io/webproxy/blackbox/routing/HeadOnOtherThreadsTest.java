package io.webproxy.blackbox.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.auth.AuthDecision;
import io.webproxy.http.Answer;
import io.webproxy.http.RequestHead;
import io.webproxy.route.FilterDecision;
import io.webproxy.testing.LeakCheck;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestProxy;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A request head that is read on threads of the application's while it decides, and statuses that it decides for. */
@ExtendWith(LeakCheck.class)
class HeadOnOtherThreadsTest {
    private final ExecutorService one = Executors.newSingleThreadExecutor(task -> new Thread(task, "application-1"));
    private final ExecutorService other = Executors.newSingleThreadExecutor(task -> new Thread(task, "application-2"));

    @AfterEach
    void stop() throws InterruptedException {
        for (ExecutorService each : new ExecutorService[] {one, other}) {
            each.shutdown();
            assertThat(each.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    private static String text(RequestHead head) {
        return String.join(
                " ",
                head.method(),
                head.scheme(),
                head.authority(),
                head.path(),
                head.query(),
                head.protocol(),
                head.clientAddress().getHostAddress(),
                head.header("X-One").orElseThrow(),
                head.headers("x-two").toString(),
                head.header("X-None").orElse("null"));
    }

    private static String expected(TestProxy proxy) {
        boolean tls = proxy.front().isTls();
        return "POST " + (tls ? "https" : "http") + " localhost:" + proxy.port() + " /a%20b q=1 HTTP/"
                + (proxy.front().isHttp2() ? "2.0" : "1.1") + " 127.0.0.1 1 [2, 3] null";
    }

    private static String answer(TestProxy proxy) throws Exception {
        Request request = new Request.Builder()
                .url(proxy.url("/a%20b?q=1"))
                .header("X-One", "1")
                .addHeader("X-Two", "2")
                .addHeader("X-Two", "3")
                .post(RequestBody.create(new byte[100_000]))
                .build();
        try (Response response = proxy.client().newCall(request).execute()) {
            return response.code() + " " + response.body().string();
        }
    }

    @OverEachFront
    void filterReadsTheHeadOnOneThreadAfterTheOther(Front front) throws Exception {
        try (TestProxy proxy = TestProxy.start(
                front,
                b -> b.route(r -> r.answer(Answer.of(500))
                        .filter(head -> FilterDecision.later(CompletableFuture.supplyAsync(() -> text(head), one)
                                .thenApplyAsync(
                                        before -> FilterDecision.answer(
                                                Answer.text(200, before.equals(text(head)) ? before : "changed")),
                                        other)))))) {
            assertThat(answer(proxy)).isEqualTo("200 " + expected(proxy));
        }
    }

    @OverEachFront
    void authenticatorReadsTheHeadOnOneThreadAfterTheOther(Front front) throws Exception {
        try (TestProxy proxy = TestProxy.start(
                front,
                b -> b.route(r -> r.answer(Answer.of(204))
                        .authenticator(head -> CompletableFuture.supplyAsync(() -> text(head), one)
                                .thenApplyAsync(
                                        before -> AuthDecision.granted(before.equals(text(head)) ? before : "changed"),
                                        other))))) {
            assertThat(answer(proxy)).isEqualTo("204 ");
            assertThat(proxy.record().user()).contains(expected(proxy));
        }
    }

    @ParameterizedTest
    @CsvSource({"H1, 418", "H1, 401", "H1, 429", "H1, 503", "H1, 599", "H2_TLS, 418", "H2_TLS, 451"})
    void authenticatorMayDenyWithAnyErrorStatus(Front front, int status) throws Exception {
        try (TestProxy proxy = TestProxy.start(
                front,
                b -> b.route(r -> r.answer(Answer.of(204))
                        .authenticator(head -> CompletableFuture.completedFuture(AuthDecision.denied(status)))))) {
            Request request = new Request.Builder().url(proxy.url("/")).build();
            try (Response response = proxy.client().newCall(request).execute()) {
                assertThat(response.code()).isEqualTo(status);
                assertThat(response.body().string()).startsWith(status + " ");
            }
            assertThat(proxy.record().status()).isEqualTo(status);
        }
    }
}
