package io.webproxy.blackbox.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.http.HttpLimits;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverHttp1;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import java.time.Duration;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Request heads that are refused before their end, or that don't come to one. */
@ExtendWith(LeakCheck.class)
class RequestHeadTest {
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";
    private static final String GET = "GET / HTTP/1.1¶Host: a¶¶";

    private final TestClock clock = new TestClock();

    private interface Client {
        void talk(TestProxy proxy, RawConnection client) throws Exception;
    }

    private void with(Front front, HttpLimits limits, Client client) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(
                        front, clock, b -> b.forward(upstream.uri()).tuning(t -> t.withHttp(limits)));
                RawConnection raw = proxy.raw()) {
            client.talk(proxy, raw);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "' HTTP/2.0', 505, HTTP/2.0",
        "' HTTP/9.9', 505, HTTP/9.9",
        "' HTTP/0.9', 400, HTTP/0.9",
        "'', 400, HTTP/0.9"
    })
    void versionThatIsRefusedIsRecordedAsItCame(String version, int status, String recorded) throws Exception {
        with(Front.H1, HttpLimits.defaults(), (proxy, client) -> {
            client.send("GET /" + version + "¶Host: a¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 " + status + " ");
            ExchangeRecord record = proxy.record();
            assertThat(record.protocol()).isEqualTo(recorded);
            assertThat(record.status()).isEqualTo(status);
        });
    }

    @OverHttp1
    void headThatDoesNotComeInTimeIs408(Front front) throws Exception {
        HttpLimits limits = HttpLimits.defaults().withHeadTime(Duration.ofMillis(1500));
        with(front, limits, (proxy, client) -> {
            client.send(GET);
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ");
            client.send("GET / HTTP/1.1¶Host: a¶X: ");
            for (int i = 0; i < 3; i++) {
                client.send("y");
                // between two sweeps everything that has come is read
                clock.awaitSweeps(2);
                clock.pass(Duration.ofMillis(500));
            }
            assertThat(client.readResponse())
                    .startsWith("HTTP/1.1 408 Request Time-out\r\n")
                    .contains("Connection: close\r\n")
                    .endsWith("408 Request Time-out: The request head didn't come in time.\n");
            assertThat(client.end()).isEqualTo("end");
        });
    }

    /** Part of it has come with the request before it: that is where its time begins. */
    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS"})
    void pipelinedHeadThatDoesNotComeInTimeIs408(Front front) throws Exception {
        HttpLimits limits = HttpLimits.defaults().withHeadTime(Duration.ofMillis(1500));
        with(front, limits, (proxy, client) -> {
            client.send(GET + "GET /second");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ");
            clock.pass(Duration.ofMillis(1500));
            assertThat(client.readResponse()).startsWith("HTTP/1.1 408 ");
            assertThat(client.end()).isEqualTo("end");
        });
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS"})
    void idleConnectionGetsNoAnswer(Front front) throws Exception {
        HttpLimits limits =
                HttpLimits.defaults().withHeadTime(Duration.ofMillis(1500)).withKeepAliveTime(Duration.ofMillis(300));
        with(front, limits, (proxy, client) -> {
            client.send(GET + "¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ");
            clock.awaitSweeps(2);
            clock.pass(Duration.ofMillis(300));
            assertThat(client.end()).isEqualTo("end");
        });
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS"})
    void otherMajorVersionIsRefusedAlsoWhenPipelined(Front front) throws Exception {
        for (String version : new String[] {"2.0", "9.9", "0.9"}) {
            with(front, HttpLimits.defaults(), (proxy, client) -> {
                client.send(GET + "POST / HTTP/1.1¶Host: a¶Transfer-Encoding: chunked¶¶1¶x¶0¶¶" + "GET / HTTP/"
                        + version + "¶Host: a¶¶");
                assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ");
                assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ");
                String status = version.equals("0.9") ? "400" : "505";
                assertThat(client.readResponse()).startsWith("HTTP/1.1 " + status + " ");
                assertThat(client.end()).isEqualTo("end");
                assertThat(proxy.record().error()).isEmpty();
                assertThat(proxy.record().error()).isEmpty();
                assertThat(proxy.record().error()).contains(ForwardError.REQUEST_REJECTED);
            });
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS"})
    void foldedFieldIsRefused(Front front) throws Exception {
        with(front, HttpLimits.defaults(), (proxy, client) -> {
            client.send("GET / HTTP/1.1¶Host: a¶X: y¶ Transfer-Encoding: chunked¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 400 ");
            assertThat(client.end()).isEqualTo("end");
        });
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS"})
    void emptyLineInFrontIsLeftOut(Front front) throws Exception {
        with(front, HttpLimits.defaults(), (proxy, client) -> {
            client.send("¶" + GET);
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ");
            // as old browsers send it behind a body
            client.send("POST / HTTP/1.1¶Host: a¶Content-Length: 1¶¶x¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ");
            client.send(GET + "¶" + GET);
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ");
            client.send("\r");
            client.send("\n");
            client.send(GET);
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ");
        });
    }

    @OverHttp1
    void hugeHeadIsAnswered(Front front) throws Exception {
        with(front, HttpLimits.defaults(), (proxy, client) -> {
            client.send("GET / HTTP/1.1¶Host: a¶X: " + "y".repeat(200_000) + "¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 431 ");
            assertThat(client.end()).isEqualTo("end");
        });
        with(front, HttpLimits.defaults(), (proxy, client) -> {
            client.send("GET /" + "y".repeat(200_000) + " HTTP/1.1¶Host: a¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 414 ");
            assertThat(client.end()).isEqualTo("end");
        });
        // in one piece, alone and behind another request
        for (String before : new String[] {"", GET}) {
            with(front, HttpLimits.defaults(), (proxy, client) -> {
                client.send(before + "GET / HTTP/1.1¶Host: a¶" + "A:b¶".repeat(1000) + "¶");
                if (!before.isEmpty()) {
                    assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ");
                }
                assertThat(client.readResponse()).startsWith("HTTP/1.1 431 ");
                assertThat(client.end()).isEqualTo("end");
            });
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS"})
    void headAboveTheLimitIsOnRecord(Front front) throws Exception {
        with(front, HttpLimits.defaults(), (proxy, client) -> {
            client.send("GET / HTTP/1.1¶Host: a¶X: " + "y".repeat(40_000) + "¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 431 ");
            assertThat(proxy.record().status()).isEqualTo(431);
        });
    }

    /** An incomplete request has no answer (RFC 9112 section 8), and reaches nothing. */
    @OverHttp1
    void requestThatEndsInTheMiddleOfItsHeadHasNoAnswer(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send("GET /one HTTP/1.1¶Host: localhost¶¶GET /s HTTP/1.1¶Host: loc");
            assertThat(client.readResponse()).endsWith("ok");
            client.shutdownOutput();
            assertThat(client.end()).isEqualTo("end");
            assertThat(proxy.record().path()).isEqualTo("/one");
            assertThat(proxy.ended()).isEqualTo(1);
            assertThat(upstream.connections()).isEqualTo(1);
        }
    }
}
