package io.webproxy.undertow.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.webproxy.observe.ForwardError;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.observe.UpstreamEvent;
import io.webproxy.route.Upstream;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Told;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/** What is said of an upstream that fails, is down, or comes back: how often, and in which words. */
@ExtendWith(LeakCheck.class)
class UpstreamNewsTest {
    private static final String REFUSED = "http://a.test:80 refuses connections at 192.0.2.1";

    private record Timed(long time, Runnable task) {}

    private final PriorityQueue<Timed> timers = new PriorityQueue<>((one, other) -> Long.compare(one.time, other.time));
    private final List<Told> events = new ArrayList<>();
    private final ProxyObserver observer = Told.to(events::add);
    private long now = 1_000;
    private boolean healthy = true;
    private final UpstreamNews news = new UpstreamNews(
            Upstream.of("http://a.test:80"),
            () -> now,
            (nanos, task) -> timers.add(new Timed(now + nanos, task)),
            call -> call.accept(observer),
            () -> healthy);

    private void pass(Duration time) {
        long until = now + time.toNanos();
        while (!timers.isEmpty() && timers.peek().time <= until) {
            Timed next = timers.remove();
            now = next.time;
            next.task.run();
        }
        now = until;
    }

    private void refuse() {
        news.failed(ForwardError.CONNECT_REFUSED, REFUSED);
    }

    private List<String> said() {
        List<String> said = events.stream()
                .map(told -> told.method() + " " + told.as(UpstreamEvent.class).detail())
                .toList();
        events.clear();
        return said;
    }

    private static List<String> logged(Runnable action) {
        Logger log = (Logger) LoggerFactory.getLogger("io.webproxy.upstream");
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.start();
        log.addAppender(lines);
        try {
            action.run();
        } finally {
            log.detachAppender(lines);
        }
        return lines.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }

    @ParameterizedTest
    @EnumSource
    void eachFailureIsLoggedWithWhatAPersonWouldDoNext(ForwardError error) {
        assertThat(logged(() -> news.failed(error, "http://a.test:80 fails")))
                .containsExactly("http://a.test:80 fails; " + error.advice());
        assertThat(logged(() -> news.answerFailed(error, "it fails")))
                .containsExactly("http://a.test:80 failed a request: it fails; " + error.advice());
    }

    @Test
    void failureThatSaysItsRemedyItselfIsLoggedAsItIs() {
        String said = "TLS to https://a.test:443 fails: it doesn't speak TLS (expected: http://)";
        assertThat(logged(() -> news.failed(ForwardError.CONNECT_TLS, said))).containsExactly(said);
    }

    @Test
    void upstreamWhoseConnectionsAreTakenIsLoggedOnceAMinuteWithWhatAPersonWouldDoNext() {
        for (String more : new String[] {"", " (9 more failures since the last line)"}) {
            assertThat(logged(() -> {
                        for (int i = 0; i < 10; i++) {
                            news.crowded("all connections are taken");
                        }
                    }))
                    .containsExactly("http://a.test:80 takes no more: all connections are taken" + more + "; "
                            + ForwardError.POOL_EXHAUSTED.advice());
            pass(Duration.ofMinutes(1));
        }
    }

    @Test
    void healthCheckThatFailsIsLoggedWithWhatAPersonWouldDoNext() {
        assertThat(logged(() -> news.down(null, "http://a.test:80 fails its health check /health")))
                .containsExactly(
                        "http://a.test:80 fails its health check /health; see the log of the upstream, and what"
                                + " its health check asks for");
    }

    @Test
    void firstFailureIsSaidAtOnceAndTheOthersAreCountedForAMinute() {
        for (int i = 0; i < 1000; i++) {
            refuse();
        }
        assertThat(said()).containsExactly("upstreamFailed " + REFUSED);
        pass(Duration.ofSeconds(59));
        assertThat(said()).isEmpty();
        pass(Duration.ofSeconds(1));
        assertThat(said()).containsExactly("upstreamFailed " + REFUSED + " (999 more failures since the last line)");
        pass(Duration.ofHours(1));
        assertThat(said()).as("nothing new").isEmpty();
    }

    @Test
    void upstreamThatComesBackIsSaidOnceItHasBeenSteadyForASecond() {
        refuse();
        said();
        pass(Duration.ofSeconds(10));
        refuse();
        for (int i = 0; i < 100; i++) {
            news.succeeded();
        }
        assertThat(said()).isEmpty();
        pass(Duration.ofSeconds(1));
        assertThat(said()).containsExactly("upstreamUp http://a.test:80 is back: it can be reached again, after 11 s");
        pass(Duration.ofHours(1));
        news.succeeded();
        assertThat(said()).isEmpty();
    }

    @Test
    void upstreamThatFailsNowAndThenIsNotBackAllTheTime() {
        for (int i = 0; i < 600; i++) {
            refuse();
            news.succeeded();
            pass(Duration.ofMillis(500));
        }
        assertThat(said()).hasSize(6).allSatisfy(line -> assertThat(line).startsWith("upstreamFailed " + REFUSED));
        pass(Duration.ofSeconds(1));
        assertThat(said()).containsExactly("upstreamUp http://a.test:80 is back: it can be reached again, after 300 s");
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.upstream", contains = "others are preferred (3 more failures")
    void observersLearnAtOnceThatItIsDownAndTheLogWhenTheMinuteIsOver() {
        String down = REFUSED + "; others are preferred";
        refuse();
        said();
        for (int i = 0; i < 2; i++) {
            news.down(ForwardError.CONNECT_REFUSED, down);
        }
        refuse();
        assertThat(said()).containsExactly("upstreamDown " + down);
        pass(Duration.ofMinutes(1));
        news.down(ForwardError.CONNECT_REFUSED, down);
        assertThat(said()).as("only once").isEmpty();
    }

    @Test
    void eachEjectionIsToldAndSoIsEachReturnWithinOneMinute() {
        refuse();
        said();
        for (int i = 0; i < 3; i++) {
            news.down(ForwardError.CONNECT_REFUSED, REFUSED);
            news.succeeded();
            pass(Duration.ofSeconds(2));
            assertThat(said())
                    .hasSize(2)
                    .satisfies(each -> assertThat(each.get(0)).isEqualTo("upstreamDown " + REFUSED))
                    .satisfies(each -> assertThat(each.get(1)).startsWith("upstreamUp "));
        }
    }

    @Test
    void upstreamThatIsBackBeforeItsFailureWasSaidIsNotSaid() {
        refuse();
        news.succeeded();
        pass(Duration.ofSeconds(2));
        assertThat(said()).hasSize(2);
        refuse();
        news.succeeded();
        pass(Duration.ofMinutes(2));
        assertThat(said()).isEmpty();
        refuse();
        assertThat(said()).containsExactly("upstreamFailed " + REFUSED + " (1 more failures since the last line)");
    }

    @Test
    void upstreamThatAHealthCheckFindsDownIsBackByTheCheckAlone() {
        healthy = false;
        news.down(null, "http://a.test:80 fails its health check /ready and gets no requests: status 500");
        assertThat(events.get(0).as(UpstreamEvent.class).error()).isEmpty();
        said();
        pass(Duration.ofSeconds(5));
        news.succeeded();
        news.passes("/other");
        assertThat(said()).isEmpty();
        healthy = true;
        news.passes("/ready");
        assertThat(said())
                .containsExactly(
                        "upstreamUp http://a.test:80 is back: it passes its health check /ready again, after 5 s");
    }

    @Test
    void failedAnswersHaveAMinuteOfTheirOwn() {
        for (int i = 0; i < 10; i++) {
            news.answerFailed(ForwardError.UPSTREAM_CLOSED, "the upstream closed");
        }
        assertThat(said()).containsExactly("upstreamFailed http://a.test:80 failed a request: the upstream closed");
        refuse();
        assertThat(said()).containsExactly("upstreamFailed " + REFUSED);
        pass(Duration.ofMinutes(1));
        news.answerFailed(ForwardError.INVALID_RESPONSE, "no HTTP");
        assertThat(said())
                .containsExactly(
                        "upstreamFailed http://a.test:80 failed a request: no HTTP (9 more failures since the last"
                                + " line)");
    }

    @Test
    void upstreamThatIsNotUsedAnyMoreIsNotSaid() {
        refuse();
        refuse();
        said();
        news.end();
        pass(Duration.ofMinutes(2));
        refuse();
        news.succeeded();
        pass(Duration.ofMinutes(2));
        assertThat(said()).isEmpty();
    }
}
