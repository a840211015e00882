package io.webproxy.blackbox.upstreams;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyConfig;
import io.webproxy.route.Balancing;
import io.webproxy.route.FilterDecision;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.ResponseFilter;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Balancing by the time to the first byte, and upstreams that come back slowly, by the engine's clock. */
@ExtendWith(LeakCheck.class)
class LeastTimeTest {
    private final TestClock clock = new TestClock();

    /** An upstream that answers when it is told to. */
    private static final class Timed implements AutoCloseable {
        private final Semaphore asked = new Semaphore(0);
        private final Semaphore go = new Semaphore(0);
        private final String name;
        private final RawUpstream upstream;
        private volatile String status = "200 OK";

        Timed(String name) throws IOException {
            this.name = name;
            this.upstream = RawUpstream.start(this::serve);
        }

        private void serve(RawConnection c) throws Exception {
            while (!c.readHead().isEmpty()) {
                asked.release();
                go.acquire();
                c.send("HTTP/1.1 " + status + "¶Content-Length: 1¶¶" + name);
            }
        }

        String uri() {
            return upstream.uri();
        }

        boolean isAsked() throws InterruptedException {
            return asked.tryAcquire(10, TimeUnit.MILLISECONDS);
        }

        @Override
        public void close() throws IOException {
            upstream.close();
        }
    }

    /** Sends a request, lets the one that gets it take so long, and says which it was. */
    private String served(RawConnection client, long millisOfA, long millisOfB, Timed a, Timed b) throws Exception {
        client.send("GET / HTTP/1.1¶Host: localhost¶¶");
        while (true) {
            for (Timed one : new Timed[] {a, b}) {
                if (one.isAsked()) {
                    clock.pass(Duration.ofMillis(one == a ? millisOfA : millisOfB));
                    one.go.release();
                    String response = client.readResponse();
                    return response.substring(response.length() - 1);
                }
            }
        }
    }

    private String served(RawConnection client, int requests, Timed a, Timed b) throws Exception {
        StringBuilder names = new StringBuilder();
        for (int i = 0; i < requests; i++) {
            names.append(served(client, 500, 100, a, b));
        }
        return names.toString();
    }

    private TestProxy proxy(Timed a, Timed b) {
        return proxy(Front.H1, a, b);
    }

    private TestProxy proxy(Front front, Timed a, Timed b) {
        return TestProxy.start(
                front,
                clock,
                p -> (front.isTls() ? p.http(0) : p)
                        .route(r -> r.forward(UpstreamGroup.of(a.uri(), b.uri()).balancing(Balancing.leastTime()))));
    }

    @Test
    void fasterOneGetsTheRequestsOnceBothAreKnown() throws Exception {
        try (Timed a = new Timed("a");
                Timed b = new Timed("b");
                TestProxy proxy = proxy(a, b);
                RawConnection client = proxy.raw()) {
            assertThat(served(client, 10, a, b)).isEqualTo("abbbbbbbbb");
            // the slower one is tried again when what is known of it is old
            clock.skip(Duration.ofSeconds(20));
            assertThat(served(client, 10, a, b)).isEqualTo("babbbbbbbb");
        }
    }

    @Test
    void upstreamThatFailsFastDoesNotWin() throws Exception {
        try (Timed a = new Timed("a");
                Timed b = new Timed("b");
                TestProxy proxy = proxy(a, b);
                RawConnection client = proxy.raw()) {
            assertThat(served(client, 4, a, b)).isEqualTo("abbb");
            for (String status : new String[] {"503 No", "429 Busy"}) {
                b.status = status;
                StringBuilder names = new StringBuilder();
                for (int i = 0; i < 10; i++) {
                    names.append(served(client, 500, 1, a, b));
                }
                assertThat(names.toString()).startsWith("bbbaaaaaa");
                b.status = "200 OK";
                clock.skip(Duration.ofMinutes(1));
                // both are tried again
                assertThat(served(client, 6, a, b)).contains("b").endsWith("bbb");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "H1, Content-Length: 1000",
        "H1, Transfer-Encoding: chunked",
        "H1_TLS, Content-Length: 1000",
        "H2_TLS, none"
    })
    void clientThatHoldsItsUploadBackDoesNotMakeAnUpstreamLookSlow(Front front, String framing) throws Exception {
        try (Timed a = new Timed("a");
                Timed b = new Timed("b");
                TestProxy proxy = proxy(front, a, b);
                RawConnection client = RawConnection.open(proxy.server()
                        .endpoints()
                        .get(front.isTls() ? 1 : 0)
                        .address()
                        .getPort())) {
            assertThat(served(client, 100, 500, a, b) + served(client, 100, 500, a, b))
                    .isEqualTo("ab");
            proxy.record();
            proxy.record();
            if (front.isHttp2()) {
                try (Http2Client stalling = Http2Client.open(proxy)) {
                    stalling.open(1, "POST", "/", "localhost");
                    stalling.send(Http2Client.DATA, 0, 1, new byte[10]);
                    holdBack(a);
                    stalling.send(Http2Client.RST_STREAM, 0, 1, new byte[] {0, 0, 0, 8});
                    proxy.record();
                }
            } else {
                try (RawConnection stalling = proxy.raw()) {
                    stalling.send("POST / HTTP/1.1¶Host: localhost¶" + framing + "¶¶4¶part");
                    holdBack(a);
                    stalling.reset();
                    proxy.record();
                }
            }
            a.go.release();
            assertThat(served(client, 100, 500, a, b) + served(client, 100, 500, a, b))
                    .isEqualTo("aa");
        }
    }

    private void holdBack(Timed upstream) throws InterruptedException {
        assertThat(upstream.asked.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
        clock.pass(Duration.ofSeconds(4));
    }

    @Test
    void clientsThatLeaveEarlyDoNotMakeASilentUpstreamTheBest() throws Exception {
        try (Timed a = new Timed("a");
                Timed b = new Timed("b");
                TestProxy proxy = proxy(a, b);
                RawConnection client = proxy.raw()) {
            try (RawConnection impatient = proxy.raw()) {
                impatient.send("GET / HTTP/1.1¶Host: localhost¶¶");
                assertThat(a.asked.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
                clock.pass(Duration.ofSeconds(3));
                impatient.reset();
                proxy.record();
            }
            assertThat(served(client, 5, a, b)).isEqualTo("bbbbb");
        }
    }

    /** Nor do its clients: what they wait for is the application. */
    @Test
    void filterThatThinksLongDoesNotMakeItsUpstreamSlow() throws Exception {
        Semaphore thinking = new Semaphore(0);
        ResponseFilter filter = (request, response) -> {
            if (request.path().equals("/")) {
                return FilterDecision.proceed();
            }
            thinking.release();
            return FilterDecision.later(new CompletableFuture<>());
        };
        try (Timed a = new Timed("a");
                Timed b = new Timed("b");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        clock,
                        p -> p.route(r -> r.responseFilter(filter)
                                .forward(UpstreamGroup.of(a.uri(), b.uri()).balancing(Balancing.leastTime()))));
                RawConnection client = proxy.raw()) {
            try (RawConnection impatient = proxy.raw()) {
                impatient.send("GET /think HTTP/1.1¶Host: localhost¶¶");
                assertThat(a.asked.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
                clock.pass(Duration.ofMillis(100));
                a.go.release();
                assertThat(thinking.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
                clock.pass(Duration.ofSeconds(3));
                impatient.reset();
                proxy.record();
            }
            StringBuilder names = new StringBuilder();
            for (int i = 0; i < 5; i++) {
                names.append(served(client, 100, 500, a, b));
            }
            assertThat(names.toString()).isEqualTo("baaaa");
        }
    }

    // --- slow start ---

    private static RawUpstream saying(String name) throws IOException {
        return RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 1¶¶" + name);
    }

    private static Map<String, Integer> times(TestProxy proxy, int requests) throws IOException {
        Map<String, Integer> times = new TreeMap<>();
        for (int i = 0; i < requests; i++) {
            try (Response response = proxy.get("/")) {
                times.merge(response.body().string(), 1, Integer::sum);
            }
        }
        return times;
    }

    private static UnaryOperator<ProxyConfig.Builder> to(UpstreamGroup group) {
        return p -> p.route(r -> r.name("one").forward(group));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void upstreamThatIsAddedGetsItsShareByAndByIfTheGroupSaysSo(boolean slow) throws Exception {
        Duration time = slow ? Duration.ofSeconds(10) : Duration.ZERO;
        try (RawUpstream a = saying("a");
                RawUpstream b = saying("b");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        clock,
                        p -> to(UpstreamGroup.of(a.uri()).named("g").slowStart(time))
                                .apply(p))) {
            assertThat(times(proxy, 2)).isEqualTo(Map.of("a", 2));
            proxy.server()
                    .update(p -> to(UpstreamGroup.of(a.uri(), b.uri())
                                    .named("g")
                                    .slowStart(time))
                            .apply(p));
            int first = times(proxy, 40).getOrDefault("b", 0);
            clock.skip(Duration.ofSeconds(5));
            int half = times(proxy, 40).getOrDefault("b", 0);
            clock.skip(Duration.ofSeconds(5));
            int all = times(proxy, 40).getOrDefault("b", 0);
            assertThat(first).isBetween(slow ? 1 : 20, slow ? 4 : 20);
            assertThat(half).isBetween(slow ? 8 : 20, 20);
            assertThat(all).isEqualTo(20);
        }
    }

    @Test
    @ExpectedLog(contains = "failed more than 50 % of the requests")
    void upstreamThatWasEjectedComesBackSlowly() throws Exception {
        OutlierEjection limit = OutlierEjection.defaults()
                .withFailureShare(0.5)
                .withLeastRequests(3)
                .withTime(Duration.ofSeconds(2));
        try (Timed failing = new Timed("f");
                RawUpstream good = saying("g");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        clock,
                        p -> p.route(r -> r.forward(UpstreamGroup.of(failing.uri(), good.uri())
                                .outlierEjection(limit)
                                .slowStart(Duration.ofSeconds(10)))))) {
            failing.status = "500 No";
            failing.go.release(1000);
            assertThat(times(proxy, 10)).isEqualTo(Map.of("f", 3, "g", 7));
            failing.status = "200 OK";
            clock.skip(Duration.ofSeconds(2));
            assertThat(times(proxy, 40).getOrDefault("f", 0)).isBetween(1, 4);
            clock.skip(Duration.ofSeconds(10));
            assertThat(times(proxy, 40)).isEqualTo(Map.of("f", 20, "g", 20));
        }
    }

    @Test
    void leastConnectionsDoesNotRushToTheOneThatIsNew() throws Exception {
        UpstreamGroup group = UpstreamGroup.of("http://127.0.0.1:1").named("g").slowStart(Duration.ofSeconds(10));
        try (RawUpstream a = saying("a");
                RawUpstream b = saying("b");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        clock,
                        p -> to(UpstreamGroup.of(a.uri())
                                        .named("g")
                                        .slowStart(group.slowStart())
                                        .balancing(Balancing.leastConnections()))
                                .apply(p))) {
            proxy.server()
                    .update(p -> to(UpstreamGroup.of(a.uri(), b.uri())
                                    .named("g")
                                    .slowStart(group.slowStart())
                                    .balancing(Balancing.leastConnections()))
                            .apply(p));
            assertThat(times(proxy, 40).getOrDefault("b", 0)).isBetween(0, 4);
            clock.skip(Duration.ofSeconds(10));
            assertThat(times(proxy, 40)).isEqualTo(Map.of("a", 20, "b", 20));
        }
    }

    /** A slow start would leave nearly all of them to the one that was there before. */
    @ParameterizedTest
    @MethodSource("thatKeepClients")
    void balancingThatKeepsClientsWhereTheyAreIsNotSlowed(Balancing balancing) throws Exception {
        try (RawUpstream a = saying("a");
                RawUpstream b = saying("b");
                RawUpstream old = saying("o");
                TestProxy proxy = TestProxy.start(
                        Front.H1, clock, p -> slowly(balancing, old.uri()).apply(p.trustedProxies("127.0.0.1")))) {
            proxy.server()
                    .update(p -> slowly(balancing, a.uri(), b.uri(), old.uri()).apply(p));
            int ofOld = 0;
            for (int i = 1; i <= 40; i++) {
                try (Response response = proxy.get("/", "X-Session", "s" + i, "X-Forwarded-For", "192.0.2." + i)) {
                    ofOld += response.body().string().equals("o") ? 1 : 0;
                }
            }
            assertThat(ofOld).isLessThan(30);
        }
    }

    private static List<Balancing> thatKeepClients() {
        return List.of(
                Balancing.failover(),
                Balancing.clientAddressHash(),
                Balancing.header("X-Session"),
                Balancing.cookie("SERVER"));
    }

    private static UnaryOperator<ProxyConfig.Builder> slowly(Balancing balancing, String... upstreams) {
        return to(UpstreamGroup.of(upstreams)
                .named("g")
                .slowStart(Duration.ofSeconds(10))
                .balancing(balancing));
    }
}
