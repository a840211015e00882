package io.webproxy.blackbox.limits;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.auth.AuthDecision;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.OverHttp1;
import io.webproxy.undertow.testing.TestProxy;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import okhttp3.Response;
import org.junit.jupiter.api.extension.ExtendWith;

/** An exchange whose authenticator takes its time has limits, and a client that may leave. */
@ExtendWith(LeakCheck.class)
class SlowAuthenticatorTest {
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";
    private static final Duration LIMIT = Duration.ofMillis(300);

    private final BlockingQueue<CompletableFuture<AuthDecision>> asked = new LinkedBlockingQueue<>();

    private TestProxy proxy(Front front, RawUpstream upstream, TimeoutPolicy timeouts) {
        return TestProxy.start(
                front,
                b -> b.forward(upstream.uri()).timeouts(timeouts).authenticator(request -> {
                    CompletableFuture<AuthDecision> decision = new CompletableFuture<>();
                    asked.add(decision);
                    return decision;
                }));
    }

    private CompletableFuture<AuthDecision> asked() throws InterruptedException {
        CompletableFuture<AuthDecision> decision = asked.poll(30, TimeUnit.SECONDS);
        assertThat(decision).isNotNull();
        return decision;
    }

    @OverEachFront
    void limitsHoldBeforeTheDecision(Front front) throws Exception {
        for (boolean total : new boolean[] {true, false}) {
            TimeoutPolicy timeouts = total
                    ? TimeoutPolicy.defaults().withTotal(LIMIT)
                    : TimeoutPolicy.defaults().with(TimeoutClass.DEFAULT, LIMIT);
            try (RawUpstream upstream = RawUpstream.answering(OK);
                    TestProxy proxy = proxy(front, upstream, timeouts);
                    Response response = proxy.get("/")) {
                assertThat(response.code()).isEqualTo(504);
                ExchangeRecord record = proxy.record();
                assertThat(record.error())
                        .contains(total ? ForwardError.TOTAL_TIMEOUT : ForwardError.RESPONSE_HEAD_TIMEOUT);
                asked().complete(AuthDecision.granted("late"));
                proxy.awaitIdle();
                assertThat(upstream.connections()).isZero();
            }
        }
    }

    @OverHttp1
    void clientThatLeavesBeforeTheDecisionIsRecorded(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = proxy(front, upstream, TimeoutPolicy.defaults())) {
            CompletableFuture<AuthDecision> decision;
            try (RawConnection client = proxy.raw()) {
                client.send("GET / HTTP/1.1¶Host: localhost¶¶");
                decision = asked();
            }
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).contains(ForwardError.CLIENT_ABORTED);
            assertThat(record.status()).isEqualTo(499);
            decision.complete(AuthDecision.granted("late"));
            proxy.awaitIdle();
            assertThat(upstream.connections()).isZero();
        }
    }

    @OverHttp1
    void connectionIsGoodForTheNextRequest(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = proxy(front, upstream, TimeoutPolicy.defaults());
                RawConnection client = proxy.raw()) {
            client.send("GET /1 HTTP/1.1¶Host: localhost¶¶");
            CompletableFuture<AuthDecision> decision = asked();
            RawConnection.pace(Duration.ofMillis(150));
            client.send("GET /2 HTTP/1.1¶Host: localhost¶¶");
            RawConnection.pace(Duration.ofMillis(150));
            decision.complete(AuthDecision.granted("first"));
            assertThat(client.readResponse()).endsWith("ok");
            asked().complete(AuthDecision.granted("second"));
            assertThat(client.readResponse()).endsWith("ok");
            assertThat(proxy.record().user()).contains("first");
            assertThat(proxy.record().user()).contains("second");
        }
    }
}
