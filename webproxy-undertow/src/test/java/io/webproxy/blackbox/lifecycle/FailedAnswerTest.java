package io.webproxy.blackbox.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.http.Answer;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.FilterDecision;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.undertow.deadline.Faults;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverBothVersions;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import okhttp3.MediaType;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An answer of the proxy's own that can't be made: wherever it starts, the client must not wait forever. */
@ExtendWith(LeakCheck.class)
@ExpectedLog(contains = "Unexpected failure in an answer")
class FailedAnswerTest {
    private static final Duration LIMIT = Duration.ofSeconds(2);

    private final TestClock clock = new TestClock();

    /** Where an answer starts, and why. */
    private enum Place {
        STAGE(Optional.of(ForwardError.APPLICATION_FAILED)),
        ROUTE(Optional.of(ForwardError.APPLICATION_FAILED)),
        LATE_DECISION(Optional.of(ForwardError.RESPONSE_HEAD_TIMEOUT)),
        REFUSED(Optional.of(ForwardError.CONNECT_REFUSED)),
        CLOSED(Optional.of(ForwardError.UPSTREAM_CLOSED)),
        SILENT(Optional.of(ForwardError.RESPONSE_HEAD_TIMEOUT)),
        REPLACED(Optional.of(ForwardError.APPLICATION_FAILED)),
        UPLOAD(Optional.of(ForwardError.REQUEST_REJECTED));

        private final Optional<ForwardError> error;

        Place(Optional<ForwardError> error) {
            this.error = error;
        }

        private String path() {
            return "/" + name();
        }
    }

    @BeforeEach
    @AfterEach
    void forget() {
        Faults.reset();
    }

    /** More fields of one name than a head can hold. */
    private static Answer unmakable() {
        Answer answer = Answer.text(200, "page");
        for (int i = 0; i < 200; i++) {
            answer = answer.withHeader("X-Many", Integer.toString(i));
        }
        return answer;
    }

    private TestProxy proxy(Front front, RawUpstream upstream, Answer answer) {
        return TestProxy.start(
                front,
                clock,
                b -> b.timeouts(TimeoutPolicy.defaults().with(TimeoutClass.DEFAULT, LIMIT))
                        .errorPages((status, error, request) -> Optional.of(answer))
                        .route(r -> r.path(Place.ROUTE.path()).answer(answer))
                        .route(r -> r.path(Place.LATE_DECISION.path())
                                .authenticator(request -> new CompletableFuture<>())
                                .forward(upstream.uri()))
                        .route(r -> r.path(Place.REFUSED.path()).forward("http://127.0.0.1:1"))
                        .route(r -> r.path(Place.CLOSED.path()).forward(upstream.uri()))
                        .route(r -> r.path(Place.SILENT.path()).forward(upstream.uri()))
                        .route(r -> r.path(Place.REPLACED.path())
                                .responseFilter((request, response) -> FilterDecision.answer(answer))
                                .forward(upstream.uri()))
                        .route(r ->
                                r.path(Place.UPLOAD.path()).requestBodyBytes(3).forward(upstream.uri())));
    }

    private static RawUpstream upstream() throws IOException {
        return RawUpstream.start(c -> {
            String head = c.readHead();
            if (head.contains(Place.REPLACED.path())) {
                c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
            }
            if (!head.contains(Place.CLOSED.path())) {
                c.end();
            }
        });
    }

    /** The status that the client gets, or 0 for an abort. */
    private int status(TestProxy proxy, Place place) throws Exception {
        Request.Builder request = new Request.Builder().url(proxy.url(place.path()));
        if (place == Place.UPLOAD) {
            request.post(chunked());
        }
        CompletableFuture<Integer> got = CompletableFuture.supplyAsync(() -> {
            try (Response response = proxy.client().newCall(request.build()).execute()) {
                assertThat(response.header("X-Many")).isNull();
                return response.code();
            } catch (IOException e) {
                return 0;
            }
        });
        if (place == Place.SILENT || place == Place.LATE_DECISION) {
            clock.runUntil(() -> proxy.ended() > 0 && got.isDone());
        }
        return got.get(30, TimeUnit.SECONDS);
    }

    private static RequestBody chunked() {
        return new RequestBody() {
            @Override
            public @Nullable MediaType contentType() {
                return null;
            }

            @Override
            public void writeTo(BufferedSink sink) throws IOException {
                sink.writeUtf8("four");
            }
        };
    }

    @OverEachFront
    void clientGetsABare500(Front front) throws Exception {
        for (Place place : Place.values()) {
            try (RawUpstream upstream = upstream();
                    TestProxy proxy = proxy(front, upstream, unmakable())) {
                assertThat(status(proxy, place)).as("%s", place).isEqualTo(500);
                assertThat(proxy.record().error()).as("%s", place).isEqualTo(place.error);
                proxy.awaitIdle();
            }
        }
    }

    @OverBothVersions
    void clientIsCutOffIfEvenThatFails(Front front) throws Exception {
        for (Place place : Place.values()) {
            try (RawUpstream upstream = upstream();
                    TestProxy proxy = proxy(front, upstream, Answer.of(200))) {
                Faults.inject(at -> {
                    if (at.equals("an answer")) {
                        throw new OutOfMemoryError("injected");
                    }
                });
                assertThat(status(proxy, place)).as("%s", place).isZero();
                assertThat(proxy.record().error()).as("%s", place).isEqualTo(place.error);
                proxy.awaitIdle();
                Faults.reset();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS"})
    void nextRequestOfTheConnectionIsServed(Front front) throws Exception {
        try (RawUpstream upstream = upstream();
                TestProxy proxy = proxy(front, upstream, unmakable());
                RawConnection client = proxy.raw()) {
            for (Place place : new Place[] {Place.STAGE, Place.ROUTE, Place.REFUSED}) {
                client.send("GET " + place.path() + " HTTP/1.1¶Host: a¶¶");
                assertThat(client.readResponse())
                        .startsWith("HTTP/1.1 500 ")
                        .endsWith("The server failed to make an answer.");
            }
        }
    }
}
