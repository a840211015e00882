package io.webproxy.undertow;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.observe.ExchangeRecord;
import io.webproxy.route.PoolLimits;
import io.webproxy.testing.Fault;
import io.webproxy.testing.Fault.Kind;
import io.webproxy.testing.FaultProxy;
import io.webproxy.testing.Front;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.TestProxy;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.Random;
import okhttp3.MediaType;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Faults between the proxy and its upstream, at every place: a client sees a whole answer, an error, or an abort, and never less that looks like an end. */
@ExtendWith(LeakCheck.class)
class FaultTest {
    private static final TimeoutPolicy SHORT =
            TimeoutPolicy.defaults().with(TimeoutClass.DEFAULT, Duration.ofMillis(250));
    private static final byte[] BODY = new byte[5000];
    private static final String HEAD = "HTTP/1.1 200 OK\r\nContent-Length: " + BODY.length + "\r\n\r\n";
    private static final long[] ANSWER_OFFSETS = {
        0, 1, 12, HEAD.length() - 1, HEAD.length(), HEAD.length() + 1, 2500, HEAD.length() + BODY.length - 1
    };
    private static final long[] REQUEST_OFFSETS = {0, 1, 20, 1000, 4000};

    static {
        new Random(1).nextBytes(BODY);
    }

    /** Reads a request with its body, and answers with the body that every answer has. */
    private static RawUpstream upstream() throws IOException {
        return RawUpstream.start(c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                if (head.startsWith("POST ")) {
                    byte[] body = new byte[BODY.length];
                    for (int at = 0; at < body.length; ) {
                        int read = c.read(body, body.length - at);
                        if (read < 0) {
                            return;
                        }
                        at += read;
                    }
                }
                c.send(HEAD);
                c.send(BODY);
            }
        });
    }

    private static String fetch(TestProxy proxy, boolean upload) {
        Request.Builder request = new Request.Builder().url(proxy.url("/"));
        if (upload) {
            request.post(RequestBody.create(BODY, MediaType.get("application/octet-stream")));
        }
        try (Response response = proxy.client().newCall(request.build()).execute()) {
            byte[] body = response.body().bytes();
            return response.code() != 200
                    ? Integer.toString(response.code())
                    : java.util.Arrays.equals(body, BODY) ? "whole" : "short: " + body.length;
        } catch (IOException e) {
            return "abort";
        }
    }

    @ParameterizedTest
    @CsvSource({
        "H1, DELAY", "H1, BYTE_WISE", "H1, STALL", "H1, HALF_CLOSE", "H1, CUT", "H1, RESET",
        "H1_TLS, DELAY", "H1_TLS, BYTE_WISE", "H1_TLS, STALL", "H1_TLS, HALF_CLOSE", "H1_TLS, CUT", "H1_TLS, RESET",
        "H2_TLS, DELAY", "H2_TLS, BYTE_WISE", "H2_TLS, STALL", "H2_TLS, HALF_CLOSE", "H2_TLS, CUT", "H2_TLS, RESET"
    })
    void faultIsServedAnsweredOrAborted(Front front, Kind kind) throws Exception {
        try (RawUpstream upstream = upstream();
                FaultProxy faulty = FaultProxy.before(upstream.port());
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.forward(faulty.uri())
                                .timeouts(kind == Kind.STALL ? SHORT : TimeoutPolicy.defaults())
                                .pool(PoolLimits.defaults().withIdle(0, Duration.ofSeconds(1))))) {
            for (long offset : ANSWER_OFFSETS) {
                faulty.faults(Fault.NONE, new Fault(kind, offset, Duration.ofMillis(50)));
                String seen = fetch(proxy, false);
                ExchangeRecord record = proxy.record();
                assertThat(seen)
                        .as("fault behind %s bytes of the answer", offset)
                        .isEqualTo(
                                kind == Kind.DELAY || kind == Kind.BYTE_WISE
                                        ? "whole"
                                        : offset >= HEAD.length() ? "abort" : kind == Kind.STALL ? "504" : "502");
                assertThat(record.error() == null).isEqualTo(seen.equals("whole"));
                assertGoodOneIsServed(proxy, faulty);
            }
            for (long offset : REQUEST_OFFSETS) {
                faulty.faults(new Fault(kind, offset, Duration.ofMillis(50)), Fault.NONE);
                assertThat(fetch(proxy, true))
                        .as("fault behind %s bytes of the request", offset)
                        .isEqualTo(
                                kind == Kind.DELAY || kind == Kind.BYTE_WISE
                                        ? "whole"
                                        : kind == Kind.STALL ? "504" : "502");
                proxy.record();
                assertGoodOneIsServed(proxy, faulty);
            }
            assertThat(upstream.failures()).isEmpty();
        }
    }

    private static void assertGoodOneIsServed(TestProxy proxy, FaultProxy faulty) throws Exception {
        faulty.faults(Fault.NONE, Fault.NONE);
        assertThat(fetch(proxy, true)).isEqualTo("whole");
        assertThat(proxy.record().error()).isNull();
    }
}
