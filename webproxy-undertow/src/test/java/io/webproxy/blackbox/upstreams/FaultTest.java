package io.webproxy.blackbox.upstreams;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.observe.ExchangeRecord;
import io.webproxy.route.PoolLimits;
import io.webproxy.testing.Fault;
import io.webproxy.testing.Fault.Kind;
import io.webproxy.testing.FaultProxy;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawUpstream;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import okhttp3.MediaType;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Faults between the proxy and its upstream, at every place: a client sees a whole answer, an error, or an abort, and
 * never less that looks like an end.
 */
@ExtendWith(LeakCheck.class)
class FaultTest {
    /** Ends what stalls. */
    private static final TimeoutPolicy SHORT =
            TimeoutPolicy.defaults().with(TimeoutClass.DEFAULT, Duration.ofSeconds(2));

    private static final PoolLimits NONE_KEPT = PoolLimits.defaults().withIdle(0, Duration.ofSeconds(1));
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
        return fetch(proxy, "/", upload);
    }

    private static String fetch(TestProxy proxy, String path, boolean upload) {
        Request.Builder request = new Request.Builder().url(proxy.url(path));
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
        "H1, DELAY", "H1, BYTE_WISE", "H1, HALF_CLOSE", "H1, CUT", "H1, RESET",
        "H1_TLS, DELAY", "H1_TLS, BYTE_WISE", "H1_TLS, HALF_CLOSE", "H1_TLS, CUT", "H1_TLS, RESET",
        "H2_TLS, DELAY", "H2_TLS, BYTE_WISE", "H2_TLS, HALF_CLOSE", "H2_TLS, CUT", "H2_TLS, RESET"
    })
    void faultIsServedAnsweredOrAborted(Front front, Kind kind) throws Exception {
        try (RawUpstream upstream = upstream();
                FaultProxy faulty = FaultProxy.before(upstream.port());
                TestProxy proxy =
                        TestProxy.start(front, b -> b.forward(faulty.uri()).tuning(t -> t.withPool(NONE_KEPT)))) {
            for (long offset : ANSWER_OFFSETS) {
                faulty.faults(Fault.NONE, new Fault(kind, offset, Duration.ofMillis(50)));
                String seen = fetch(proxy, false);
                ExchangeRecord record = proxy.record();
                assertThat(seen)
                        .as("fault behind %s bytes of the answer", offset)
                        .isEqualTo(
                                kind == Kind.DELAY || kind == Kind.BYTE_WISE
                                        ? "whole"
                                        : offset >= HEAD.length() ? "abort" : "502");
                assertThat(record.error().isEmpty()).isEqualTo(seen.equals("whole"));
                assertGoodOneIsServed(proxy, faulty);
            }
            for (long offset : REQUEST_OFFSETS) {
                faulty.faults(new Fault(kind, offset, Duration.ofMillis(50)), Fault.NONE);
                assertThat(fetch(proxy, true))
                        .as("fault behind %s bytes of the request", offset)
                        .isEqualTo(kind == Kind.DELAY || kind == Kind.BYTE_WISE ? "whole" : "502");
                proxy.record();
                assertGoodOneIsServed(proxy, faulty);
            }
            assertThat(upstream.failures()).isEmpty();
        }
    }

    /** At all places at once, because each takes the whole of a limit. */
    @ParameterizedTest
    @EnumSource(names = {"H1", "H1_TLS", "H2_TLS"})
    void stallIsAnsweredOrAborted(Front front) throws Exception {
        List<FaultProxy> stalling = new ArrayList<>();
        TestClock clock = new TestClock();
        ExecutorService threads = Executors.newCachedThreadPool(task -> new Thread(task, "test-client"));
        try (RawUpstream upstream = upstream();
                TestProxy proxy = TestProxy.start(
                        front,
                        clock,
                        b -> b.forward(upstream.uri()).timeouts(SHORT).tuning(t -> t.withPool(NONE_KEPT)))) {
            Map<String, Future<String>> seen = new LinkedHashMap<>();
            for (boolean upload : new boolean[] {false, true}) {
                for (long offset : upload ? REQUEST_OFFSETS : ANSWER_OFFSETS) {
                    FaultProxy faulty = FaultProxy.before(upstream.port());
                    stalling.add(faulty);
                    Fault stall = Fault.of(Kind.STALL, offset);
                    faulty.faults(upload ? stall : Fault.NONE, upload ? Fault.NONE : stall);
                    String path = (upload ? "/request/" : "/answer/") + offset;
                    proxy.server().update(b -> b.route(r -> r.path(path).forward(faulty.uri())));
                    seen.put(path, threads.submit(() -> fetch(proxy, path, upload)));
                }
            }
            for (FaultProxy each : stalling) {
                each.awaitStall();
            }
            // between two sweeps everything that has come is read
            clock.awaitSweeps(2);
            clock.pass(SHORT.idle(TimeoutClass.DEFAULT));
            for (Map.Entry<String, Future<String>> each : seen.entrySet()) {
                String path = each.getKey();
                boolean begun = path.startsWith("/answer/")
                        && Integer.parseInt(path.substring("/answer/".length())) >= HEAD.length();
                assertThat(each.getValue().get(30, TimeUnit.SECONDS))
                        .as("stall behind the bytes of %s", path)
                        .isEqualTo(begun ? "abort" : "504");
                assertThat(proxy.record().error()).isPresent();
            }
            assertThat(fetch(proxy, true)).isEqualTo("whole");
            assertThat(proxy.record().error()).isEmpty();
            assertThat(upstream.failures()).isEmpty();
        } finally {
            threads.shutdownNow();
            for (FaultProxy each : stalling) {
                each.close();
            }
        }
    }

    private static void assertGoodOneIsServed(TestProxy proxy, FaultProxy faulty) throws Exception {
        faulty.faults(Fault.NONE, Fault.NONE);
        assertThat(fetch(proxy, true)).isEqualTo("whole");
        assertThat(proxy.record().error()).isEmpty();
    }
}
