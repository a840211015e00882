package io.webproxy.blackbox.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.webproxy.http.Answer;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.FilterDecision;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawUpstream;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A decision about a response that can't be carried out, because something throws that nothing foresees. */
@ExtendWith(LeakCheck.class)
@ExpectedLog(contains = "Unexpected failure in an answer")
class ResponseFilterFaultTest {
    private final TestClock clock = new TestClock();

    @ParameterizedTest
    @CsvSource({
        "H1, false, true, activity",
        "H1, true, true, activity",
        "H1, true, false, limitEventSilence",
        "H2_TLS, false, false, limitEventSilence",
        "H2_TLS, true, false, activity"
    })
    @ExpectedLog(contains = "The decision of route hooked's response filter can't be carried out")
    void errorAfterTheDecisionEndsTheExchange(Front front, boolean late, boolean replaced, String place)
            throws Exception {
        assertThatItEnds(front, late, replaced, place);
    }

    /** The exchange has let go of the upstream. */
    @ParameterizedTest
    @CsvSource({"H1, false", "H1, true", "H2_TLS, true"})
    void errorWhileTheClientIsAnsweredEndsTheExchange(Front front, boolean late) throws Exception {
        assertThatItEnds(front, late, true, "answering");
    }

    private void assertThatItEnds(Front front, boolean late, boolean replaced, String place) throws Exception {
        BlockingQueue<CompletableFuture<FilterDecision>> asked = new LinkedBlockingQueue<>();
        BlockingQueue<Integer> ended = new LinkedBlockingQueue<>();
        FilterDecision decision = replaced ? FilterDecision.answer(Answer.of(204)) : FilterDecision.proceed();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶Content-Type: text/event-stream¶Transfer-Encoding: chunked¶¶5¶first¶");
                    c.end();
                    ended.add(1);
                });
                TestProxy proxy = TestProxy.start(
                        front,
                        clock,
                        b -> b.timeouts(TimeoutPolicy.defaults().withEventSilence(Duration.ofMinutes(1)))
                                .route(r -> r.name("hooked")
                                        .responseFilter((request, response) -> {
                                            CompletableFuture<FilterDecision> stage = new CompletableFuture<>();
                                            if (!late) {
                                                clock.failOnce("decided", place);
                                                stage.complete(decision);
                                            }
                                            asked.add(stage);
                                            return FilterDecision.later(stage);
                                        })
                                        .forward(upstream.uri())))) {
            CompletableFuture<Void> got = CompletableFuture.runAsync(() ->
                    assertThatIOException().isThrownBy(() -> proxy.get("/").close()));
            CompletableFuture<FilterDecision> stage = asked.poll(30, TimeUnit.SECONDS);
            assertThat(stage).isNotNull();
            if (late) {
                clock.failOnce("decided", place);
                stage.complete(decision);
            }
            assertThat(proxy.record().error()).contains(ForwardError.APPLICATION_FAILED);
            got.get(30, TimeUnit.SECONDS);
            assertThat(ended.poll(30, TimeUnit.SECONDS)).isNotNull();
            proxy.awaitIdle();
        }
    }
}
