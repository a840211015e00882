package io.webproxy.blackbox.streaming;

import static io.webproxy.undertow.testing.Http2Client.DATA;
import static io.webproxy.undertow.testing.Http2Client.END_HEADERS;
import static io.webproxy.undertow.testing.Http2Client.END_STREAM;
import static io.webproxy.undertow.testing.Http2Client.HEADERS;
import static io.webproxy.undertow.testing.Http2Client.RST_STREAM;
import static io.webproxy.undertow.testing.Http2Client.fields;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyConfig;
import io.webproxy.http.Answer;
import io.webproxy.http.HttpLimits;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Balancing;
import io.webproxy.route.FilterDecision;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.ResponseFilter;
import io.webproxy.route.Route;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawUpstream;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.TestProxy;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** gRPC calls through the proxy to an upstream, both in frames. */
@ExtendWith(LeakCheck.class)
class GrpcCallsTest {
    private static final String[] HEAD = {":status", "200", "content-type", "application/grpc"};
    private static final byte[] MESSAGE = {0, 0, 0, 0, 2, 'h', 'i'};

    /** What the upstream does with the only call that it gets, on stream 1. */
    private interface Service {
        void call(Http2Client upstream, Http2Client.Frame head) throws Exception;
    }

    private static RawUpstream upstream(Service service) throws Exception {
        return RawUpstream.start(raw -> {
            Http2Client upstream = Http2Client.serve(raw);
            service.call(upstream, upstream.next(HEADERS));
            // until the proxy closes
            upstream.end();
        });
    }

    private static Consumer<ProxyConfig.Builder> to(RawUpstream upstream) {
        return b -> b.forward("h2c://" + upstream.address());
    }

    private static void call(Http2Client client, String... more) throws Exception {
        String[] fields = new String[4 + more.length];
        System.arraycopy(new String[] {"content-type", "application/grpc", "te", "trailers"}, 0, fields, 0, 4);
        System.arraycopy(more, 0, fields, 4, more.length);
        client.open(1, "POST", "/a.B/C", "localhost", fields);
        client.send(DATA, 0, 1, MESSAGE);
    }

    /** The next frame of the call, and no window. */
    private static Http2Client.Frame next(Http2Client client) throws Exception {
        Http2Client.Frame frame = client.read(1);
        while (frame.type() == Http2Client.WINDOW_UPDATE) {
            frame = client.read(1);
        }
        return frame;
    }

    private static void pass(Duration time) {
        long start = System.nanoTime();
        await().until(() -> System.nanoTime() - start >= time.toNanos());
    }

    private static void head(Http2Client upstream) throws Exception {
        upstream.send(HEADERS, END_HEADERS, 1, fields(HEAD));
    }

    /** Ends every call with a status and its name, in a head alone or in trailers; with null it never does. */
    private static RawUpstream ending(String name, @Nullable String status, boolean inTrailers) throws Exception {
        return RawUpstream.start(raw -> {
            Http2Client peer = Http2Client.serve(raw);
            while (true) {
                Http2Client.Frame frame = peer.read();
                if (frame.type() != HEADERS || status == null) {
                    continue;
                }
                int stream = frame.stream();
                if (inTrailers) {
                    peer.send(HEADERS, END_HEADERS, stream, fields(HEAD));
                    peer.send(DATA, 0, stream, MESSAGE);
                    peer.send(HEADERS, END_HEADERS | END_STREAM, stream, fields("grpc-status", status, "name", name));
                } else {
                    peer.respond(
                            stream,
                            END_STREAM,
                            "200",
                            "content-type",
                            "application/grpc",
                            "grpc-status",
                            status,
                            "name",
                            name);
                }
            }
        });
    }

    /** Who ends a call: the last field block says so. */
    private static String caller(TestProxy proxy, String... more) throws Exception {
        try (Http2Client client = Http2Client.open(proxy)) {
            call(client, more);
            client.send(DATA, END_STREAM, 1, new byte[0]);
            Http2Client.Frame frame = next(client);
            String name = String.valueOf(client.fields(frame).get("name"));
            while ((frame.flags() & END_STREAM) == 0) {
                frame = next(client);
                if (frame.type() == HEADERS) {
                    name = String.valueOf(client.fields(frame).get("name"));
                }
            }
            proxy.record();
            return name;
        }
    }

    private static Consumer<ProxyConfig.Builder> preferring(RawUpstream first, RawUpstream second) {
        return preferring(first, second, r -> {});
    }

    private static Consumer<ProxyConfig.Builder> preferring(
            RawUpstream first, RawUpstream second, Consumer<Route.Builder> more) {
        OutlierEjection limit = OutlierEjection.defaults()
                .withFailureShare(0.5)
                .withLeastRequests(3)
                .withWindow(Duration.ofHours(1))
                .withTime(Duration.ofHours(1));
        return b -> b.route(r -> {
            more.accept(r);
            r.forward(UpstreamGroup.of("h2c://" + first.address(), "h2c://" + second.address())
                    .balancing(Balancing.failover())
                    .outlierEjection(limit));
        });
    }

    @ParameterizedTest
    @CsvSource({
        "2, false, true",
        "13, true, true",
        "14, false, true",
        "14, true, true",
        "15, true, true",
        "0, true, false",
        "4, true, false",
        "5, false, false",
        "12, false, false"
    })
    void upstreamWhoseCallsFailIsSkipped(String status, boolean inTrailers, boolean skipped) throws Exception {
        try (RawUpstream first = ending("first", status, inTrailers);
                RawUpstream second = ending("second", "0", true);
                TestProxy proxy = TestProxy.start(Front.H2_TLS, preferring(first, second))) {
            for (int i = 0; i < 3; i++) {
                assertThat(caller(proxy)).isEqualTo("first");
            }
            assertThat(caller(proxy)).isEqualTo(skipped ? "second" : "first");
        }
    }

    @ParameterizedTest
    @CsvSource({"14, true", "5, false"})
    void upstreamWhoseCallsFailIsSkippedAlsoIfAResponseFilterAnswersThem(String status, boolean skipped)
            throws Exception {
        Answer answer = Answer.of(200)
                .withHeader("Content-Type", "application/grpc")
                .withHeader("grpc-status", "0")
                .withHeader("name", "filter");
        ResponseFilter filter = (request, response) ->
                response.header("grpc-status").isEmpty() ? FilterDecision.proceed() : FilterDecision.answer(answer);
        try (RawUpstream first = ending("first", status, false);
                RawUpstream second = ending("second", "0", true);
                TestProxy proxy =
                        TestProxy.start(Front.H2_TLS, preferring(first, second, r -> r.responseFilter(filter)))) {
            for (int i = 0; i < 3; i++) {
                assertThat(caller(proxy)).isEqualTo("filter");
            }
            assertThat(caller(proxy)).isEqualTo(skipped ? "second" : "filter");
        }
    }

    @Test
    @ExpectedLog(contains = "The response filter of route")
    void upstreamWhoseCallsFailIsSkippedAlsoIfTheResponseFilterFails() throws Exception {
        ResponseFilter filter = (request, response) -> {
            if (response.header("grpc-status").isPresent()) {
                throw new IllegalStateException("defect");
            }
            return FilterDecision.proceed();
        };
        try (RawUpstream first = ending("first", "14", false);
                RawUpstream second = ending("second", "0", true);
                TestProxy proxy =
                        TestProxy.start(Front.H2_TLS, preferring(first, second, r -> r.responseFilter(filter)))) {
            for (int i = 0; i < 3; i++) {
                assertThat(caller(proxy)).isEqualTo("null");
            }
            assertThat(caller(proxy)).isEqualTo("second");
        }
    }

    /** Its clients take such an end for UNKNOWN, or for what the status of HTTP says. */
    @ParameterizedTest
    @CsvSource({"200, true", "503, true", "404, false"})
    void upstreamWhoseCallsEndWithoutAStatusIsSkippedWhereThatIsAFailure(String status, boolean skipped)
            throws Exception {
        try (RawUpstream first = RawUpstream.start(raw -> {
                    Http2Client peer = Http2Client.serve(raw);
                    while (true) {
                        Http2Client.Frame frame = peer.read();
                        if (frame.type() == HEADERS) {
                            peer.respond(
                                    frame.stream(),
                                    END_STREAM,
                                    status,
                                    "content-type",
                                    "application/grpc",
                                    "name",
                                    "first");
                        }
                    }
                });
                RawUpstream second = ending("second", "0", true);
                TestProxy proxy = TestProxy.start(Front.H2_TLS, preferring(first, second))) {
            for (int i = 0; i < 3; i++) {
                assertThat(caller(proxy)).isEqualTo("first");
            }
            assertThat(caller(proxy)).isEqualTo(skipped ? "second" : "first");
        }
    }

    /** What the first attempt has ended by says nothing of the second. */
    @Test
    void callThatWasRefusedAndIsNotAnsweredThenHasExceededItsTime() throws Exception {
        try (RawUpstream upstream = upstream((c, request) -> {
                    c.send(RST_STREAM, 0, 1, ByteBuffer.allocate(4).putInt(7).array());
                    c.next(HEADERS);
                });
                TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        b -> b.timeouts(TimeoutPolicy.defaults().with(TimeoutClass.LONG, Duration.ofMillis(300)))
                                .forward("h2c://" + upstream.address()));
                Http2Client client = Http2Client.open(proxy)) {
            call(client);
            client.send(DATA, END_STREAM, 1, new byte[0]);
            assertThat(client.fields(next(client))).containsEntry("grpc-status", "4");
            assertThat(proxy.record().error()).contains(ForwardError.RESPONSE_HEAD_TIMEOUT);
        }
    }

    /** Clients that allow too little time could take an upstream away from all others. */
    @Test
    void deadlineOfAClientSaysNothingOfTheUpstream() throws Exception {
        try (RawUpstream first = ending("first", null, false);
                RawUpstream second = ending("second", "0", true);
                TestProxy proxy = TestProxy.start(Front.H2_TLS, preferring(first, second))) {
            for (int i = 0; i < 5; i++) {
                assertThat(caller(proxy, "grpc-timeout", "20m")).isEqualTo("null");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1", "H2_TLS", "H2_TLS_JDK"})
    void messagesPassAtOnceAndTrailersWithAllTheirMetadata(Front front) throws Exception {
        try (RawUpstream upstream = upstream((c, request) -> {
                    assertThat(c.fields(request))
                            .containsEntry("te", "trailers")
                            .containsKey("grpc-timeout");
                    head(c);
                    for (int i = 0; i < 3; i++) {
                        Http2Client.Frame message = c.next(DATA);
                        c.send(DATA, 0, 1, message.payload());
                    }
                    c.send(
                            HEADERS,
                            END_HEADERS | END_STREAM,
                            1,
                            fields(
                                    "grpc-status",
                                    "0",
                                    "session.id_x",
                                    "7",
                                    "key-bin",
                                    "AAE",
                                    "x-forwarded-for",
                                    "::1"));
                });
                TestProxy proxy = TestProxy.start(front, to(upstream));
                Http2Client client = Http2Client.open(proxy)) {
            call(client, "grpc-timeout", "1H");
            assertThat(client.fields(next(client))).containsEntry("content-type", "application/grpc");
            for (int i = 0; i < 3; i++) {
                // the next message goes out only when the one before has come back
                assertThat(next(client).payload()).isEqualTo(MESSAGE);
                if (i < 2) {
                    client.send(DATA, 0, 1, MESSAGE);
                }
            }
            Http2Client.Frame trailers = next(client);
            assertThat(trailers.flags() & END_STREAM).isEqualTo(END_STREAM);
            assertThat(client.fields(trailers))
                    .containsOnly(
                            Map.entry("grpc-status", "0"), Map.entry("session.id_x", "7"), Map.entry("key-bin", "AAE"));
            ExchangeRecord record = proxy.record();
            assertThat(record.grpcStatus()).contains(0);
            assertThat(record.status()).isEqualTo(200);
            assertThat(record.error()).isEmpty();
            assertThat(record.upstreamProtocol()).contains("HTTP/2.0");
            assertThat(record.startClass()).isEqualTo(TimeoutClass.LONG);
        }
    }

    @Test
    void responseThatIsTrailersOnlyStaysOneHead() throws Exception {
        try (RawUpstream upstream = upstream((c, request) -> c.send(
                        HEADERS,
                        END_HEADERS | END_STREAM,
                        1,
                        fields(
                                ":status",
                                "200",
                                "content-type",
                                "application/grpc",
                                "grpc-status",
                                "5",
                                "grpc-message",
                                "no %C3%A4")));
                TestProxy proxy = TestProxy.start(Front.H2_TLS, to(upstream));
                Http2Client client = Http2Client.open(proxy)) {
            call(client);
            Http2Client.Frame head = next(client);
            assertThat(head.flags() & END_STREAM).isEqualTo(END_STREAM);
            assertThat(client.fields(head))
                    .containsEntry("grpc-status", "5")
                    .containsEntry("grpc-message", "no %C3%A4");
            assertThat(proxy.record().grpcStatus()).contains(5);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void responseThatIsTrailersOnlyPassesAResponseFilter(boolean replaced) throws Exception {
        ResponseFilter filter = (request, response) -> replaced
                ? FilterDecision.answer(Answer.of(403))
                : FilterDecision.proceed()
                        .setHeader("seen", response.header("grpc-status").orElse("-"));
        try (RawUpstream upstream = ending("a", "5", false);
                TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        b -> b.route(r -> r.responseFilter(filter).forward("h2c://" + upstream.address())));
                Http2Client client = Http2Client.open(proxy)) {
            call(client);
            Http2Client.Frame head = next(client);
            assertThat(head.flags() & END_STREAM).isEqualTo(END_STREAM);
            assertThat(client.fields(head))
                    .containsEntry("grpc-status", replaced ? "7" : "5")
                    .containsEntry(replaced ? "content-type" : "seen", replaced ? "application/grpc" : "5");
            assertThat(proxy.record().grpcStatus()).contains(replaced ? 7 : 5);
        }
    }

    @Test
    void responseThatBreaksOffEndsWithAStatusInTrailers() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    Http2Client c = Http2Client.serve(raw);
                    c.next(DATA);
                    head(c);
                    c.send(DATA, 0, 1, MESSAGE);
                });
                TestProxy proxy = TestProxy.start(Front.H2_TLS, to(upstream));
                Http2Client client = Http2Client.open(proxy)) {
            call(client);
            client.fields(next(client));
            assertThat(next(client).payload()).isEqualTo(MESSAGE);
            assertEnds(client, "14");
            // the request goes on, and isn't read
            assertThat(client.resetOf(1)).isZero();
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).contains(ForwardError.RESPONSE_BODY_TRUNCATED);
            assertThat(record.grpcStatus()).contains(14);
        }
    }

    private static void assertEnds(Http2Client client, String status) throws Exception {
        Http2Client.Frame trailers = next(client);
        assertThat(trailers.type()).isEqualTo(HEADERS);
        assertThat(trailers.flags() & END_STREAM).isEqualTo(END_STREAM);
        assertThat(client.fields(trailers)).containsEntry("grpc-status", status).containsKey("grpc-message");
    }

    @ParameterizedTest
    @CsvSource({"2, 13", "7, 14", "8, 1", "11, 8", "12, 7"})
    void resetOfTheUpstreamIsAStatus(int code, String status) throws Exception {
        for (boolean afterHead : new boolean[] {false, true}) {
            CompletableFuture<Void> received = new CompletableFuture<>();
            try (RawUpstream upstream = upstream((c, request) -> {
                        c.next(DATA);
                        if (afterHead) {
                            head(c);
                            c.send(DATA, 0, 1, MESSAGE);
                            received.get(30, TimeUnit.SECONDS);
                        }
                        // what is refused before its head is sent again
                        for (Http2Client.Frame next = request; ; next = c.next(HEADERS)) {
                            byte[] payload = ByteBuffer.allocate(4).putInt(code).array();
                            c.send(RST_STREAM, 0, next.stream(), payload);
                        }
                    });
                    TestProxy proxy = TestProxy.start(Front.H2_TLS, to(upstream));
                    Http2Client client = Http2Client.open(proxy)) {
                call(client);
                if (afterHead) {
                    client.fields(next(client));
                    assertThat(next(client).type()).isEqualTo(DATA);
                    received.complete(null);
                }
                assertEnds(client, status);
                assertThat(proxy.record().grpcStatus()).contains(Integer.valueOf(status));
            }
        }
    }

    /** Its own deadline may pass before ours, by some milliseconds. */
    @Test
    void resetOfTheUpstreamWhenTheTimeIsUpIsTheDeadline() throws Exception {
        CompletableFuture<Void> past = new CompletableFuture<>();
        try (RawUpstream upstream = upstream((c, request) -> {
                    past.get(30, TimeUnit.SECONDS);
                    c.send(RST_STREAM, 0, 1, new byte[] {0, 0, 0, 8});
                });
                TestProxy proxy = TestProxy.start(Front.H2_TLS, to(upstream));
                Http2Client client = Http2Client.open(proxy)) {
            call(client, "grpc-timeout", "200m");
            pass(Duration.ofMillis(240));
            past.complete(null);
            assertEnds(client, "4");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void timeoutEndsBothSides(boolean afterHead) throws Exception {
        BlockingQueue<Integer> resets = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = upstream((c, request) -> {
                    if (afterHead) {
                        head(c);
                    }
                    resets.add(c.next(RST_STREAM).code());
                });
                TestProxy proxy = TestProxy.start(Front.H2_TLS, to(upstream));
                Http2Client client = Http2Client.open(proxy)) {
            call(client, "grpc-timeout", "300m");
            if (afterHead) {
                client.fields(next(client));
            }
            assertEnds(client, "4");
            assertThat(resets.poll(30, TimeUnit.SECONDS)).isEqualTo(8);
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).contains(ForwardError.TOTAL_TIMEOUT);
            assertThat(record.grpcStatus()).contains(4);
        }
    }

    @Test
    void upstreamIsToldWhatIsLeftOfTheTime() throws Exception {
        BlockingQueue<String> told = new LinkedBlockingQueue<>();
        CompletableFuture<FilterDecision> decision = new CompletableFuture<>();
        try (RawUpstream upstream = upstream((c, request) -> {
                    told.add(c.fields(request).get("grpc-timeout"));
                    c.send(HEADERS, END_HEADERS | END_STREAM, 1, fields(":status", "200", "grpc-status", "0"));
                });
                TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        b -> b.route(r -> r.forward("h2c://" + upstream.address())
                                .filter(request -> FilterDecision.later(decision))));
                Http2Client client = Http2Client.open(proxy)) {
            call(client, "grpc-timeout", "20S");
            await().until(() -> proxy.server().status().exchanges() == 1);
            pass(Duration.ofMillis(100));
            decision.complete(FilterDecision.proceed());
            client.fields(next(client));
            String left = told.poll(30, TimeUnit.SECONDS);
            assertThat(left).endsWith("u");
            assertThat(Long.parseLong(left.substring(0, left.length() - 1))).isBetween(1_000_000L, 19_900_000L);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void clientThatCancelsResetsTheUpstreamAtOnce(boolean afterHead) throws Exception {
        BlockingQueue<Long> resets = new LinkedBlockingQueue<>();
        CompletableFuture<Void> called = new CompletableFuture<>();
        try (RawUpstream upstream = upstream((c, request) -> {
                    c.next(DATA);
                    if (afterHead) {
                        head(c);
                    }
                    called.complete(null);
                    assertThat(c.next(RST_STREAM).code()).isEqualTo(8);
                    resets.add(System.nanoTime());
                });
                TestProxy proxy = TestProxy.start(Front.H2_TLS, to(upstream));
                Http2Client client = Http2Client.open(proxy)) {
            call(client);
            called.get(30, TimeUnit.SECONDS);
            if (afterHead) {
                client.fields(next(client));
            }
            long start = System.nanoTime();
            client.send(RST_STREAM, 0, 1, new byte[] {0, 0, 0, 8});
            Long seen = resets.poll(30, TimeUnit.SECONDS);
            assertThat(seen).isNotNull();
            // it takes no sweep, though the machine may be busy
            assertThat(Duration.ofNanos(seen - start)).isLessThan(Duration.ofSeconds(25));
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).contains(ForwardError.CLIENT_ABORTED);
            assertThat(record.grpcStatus()).isEmpty();
            assertThat(upstream.failures()).isEmpty();
        }
    }

    @Test
    void bodyAboveTheLimitAfterTheHeadIsAStatusInTrailers() throws Exception {
        try (RawUpstream upstream = upstream((c, request) -> head(c));
                TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        b -> b.route(
                                r -> r.forward("h2c://" + upstream.address()).requestBodyBytes(10)));
                Http2Client client = Http2Client.open(proxy)) {
            call(client);
            client.fields(next(client));
            client.send(DATA, 0, 1, MESSAGE);
            assertEnds(client, "8");
            assertThat(proxy.record().error()).contains(ForwardError.REQUEST_REJECTED);
        }
    }

    @Test
    void callThatStreamsWhenTheServerEndsIsUnavailable() throws Exception {
        TestProxy proxy = null;
        try (RawUpstream upstream = upstream((c, request) -> head(c))) {
            proxy = TestProxy.start(Front.H2_TLS, to(upstream));
            try (Http2Client client = Http2Client.open(proxy)) {
                call(client);
                client.fields(next(client));
                CompletableFuture<Void> closed = CompletableFuture.runAsync(proxy::close);
                // after the GOAWAY that announces it
                assertThat(client.fields(client.next(HEADERS))).containsEntry("grpc-status", "14");
                closed.get(30, TimeUnit.SECONDS);
            }
        } finally {
            if (proxy != null) {
                proxy.close();
            }
        }
    }

    /** Metadata that the client took for the end of a call would be wrong at the end of something else. */
    @Test
    void answerOfHttpThatBreaksOffIsReset() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    Http2Client c = Http2Client.serve(raw);
                    c.next(DATA);
                    c.send(HEADERS, END_HEADERS, 1, fields(":status", "500", "content-type", "text/html"));
                    c.send(DATA, 0, 1, MESSAGE);
                });
                TestProxy proxy = TestProxy.start(Front.H2_TLS, to(upstream));
                Http2Client client = Http2Client.open(proxy)) {
            call(client);
            assertThat(client.fields(next(client))).containsEntry(":status", "500");
            assertThat(next(client).type()).isEqualTo(DATA);
            assertThat(next(client).type()).isEqualTo(RST_STREAM);
            assertThat(proxy.record().grpcStatus()).isEmpty();
        }
    }

    /** A limit of slow bodies would end every call whose client has nothing to say for a while. */
    @Test
    void clientMayBeSilentBetweenMessages() throws Exception {
        try (RawUpstream upstream = upstream((c, request) -> {
                    c.next(DATA);
                    c.next(DATA);
                    c.send(HEADERS, END_HEADERS | END_STREAM, 1, fields(":status", "200", "grpc-status", "0"));
                });
                TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        b -> b.forward("h2c://" + upstream.address())
                                .tuning(t -> t.withHttp(
                                        HttpLimits.defaults().withRequestBodyRate(1 << 20, Duration.ofMillis(1))))
                                .timeouts(TimeoutPolicy.defaults().with(TimeoutClass.LONG, Duration.ofSeconds(30))));
                Http2Client client = Http2Client.open(proxy)) {
            call(client);
            // longer than two sweeps
            pass(Duration.ofMillis(200));
            client.send(DATA, 0, 1, MESSAGE);
            assertThat(client.fields(next(client))).containsEntry("grpc-status", "0");
        }
    }

    @Test
    void answerOfARouteMaySpeakGrpc() throws Exception {
        try (TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        b -> b.route(r -> r.answer(
                                Answer.of(200, "application/grpc", new byte[0]).withHeader("grpc-status", "0"))));
                Http2Client client = Http2Client.open(proxy)) {
            call(client);
            assertThat(client.fields(next(client))).containsEntry("grpc-status", "0");
            assertThat(proxy.record().grpcStatus()).contains(0);
        }
    }
}
