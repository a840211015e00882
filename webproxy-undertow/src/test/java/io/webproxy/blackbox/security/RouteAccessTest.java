package io.webproxy.blackbox.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.ProxyStartException;
import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import io.webproxy.http.Answer;
import io.webproxy.http.RequestHead;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.OverBothVersions;
import io.webproxy.undertow.testing.TestProxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import okhttp3.Credentials;
import okhttp3.MediaType;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Who may use a route, and what names a request. */
@ExtendWith(LeakCheck.class)
class RouteAccessTest {
    private static final Answer HERE = Answer.text(200, "here");

    private static String answer(TestProxy proxy, String path, String... fields) throws Exception {
        Request.Builder request = new Request.Builder().url(proxy.url(path));
        for (int i = 0; i < fields.length; i += 2) {
            request.header(fields[i], fields[i + 1]);
        }
        try (Response response = proxy.client().newCall(request.build()).execute()) {
            return Integer.toString(response.code());
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS", "H2_TLS"})
    void addressesAreAllowedAndDeniedBeforeAnybodyIsAskedForAPassword(Front front) throws Exception {
        try (TestProxy proxy = TestProxy.start(
                front,
                b -> b.trustedProxies("127.0.0.0/8")
                        .basicAuth("user", "secret")
                        .route(r -> r.path("/in")
                                .allow("10.0.0.0/8", "2001:db8::/32")
                                .answer(HERE))
                        .route(r -> r.path("/out").deny("10.1.0.0/16").answer(HERE))
                        .route(r -> r.path("/both")
                                .allow("10.0.0.0/8")
                                .deny("10.1.0.0/16")
                                .answer(HERE)))) {
            assertThat(answer(proxy, "/in")).isEqualTo("403");
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).as("an answer by configuration").isEmpty();
            assertThat(record.proxyAnswered()).isTrue();
            for (String[] one : new String[][] {
                {"/in", "10.9.9.9", "401"},
                {"/in", "::ffff:10.9.9.9", "401"},
                {"/in", "2001:db8:1::1", "401"},
                {"/in", "2001:db9::1", "403"},
                {"/in", "11.0.0.1", "403"},
                {"/in", "10.9.9.9, 11.0.0.1", "403"},
                {"/out", "11.0.0.1", "401"},
                {"/out", "10.1.2.3", "403"},
                {"/out", "::ffff:10.1.2.3", "403"},
                {"/both", "10.1.2.3", "403"},
                {"/both", "10.2.2.3", "401"},
            }) {
                assertThat(answer(proxy, one[0], "X-Forwarded-For", one[1]))
                        .as(one[0] + " " + one[1])
                        .isEqualTo(one[2]);
            }
        }
    }

    @Test
    void clientCannotForgeItsAddress() throws Exception {
        try (TestProxy proxy = TestProxy.start(
                Front.H1,
                b -> b.route(r -> r.allow("10.0.0.0/8").answer(HERE))
                        .route(r -> r.path("/x").deny("127.0.0.1").answer(HERE)))) {
            assertThat(answer(proxy, "/", "X-Forwarded-For", "10.0.0.1")).isEqualTo("403");
            assertThat(answer(proxy, "/x", "X-Forwarded-For", "10.0.0.1", "Forwarded", "for=10.0.0.1"))
                    .isEqualTo("403");
        }
    }

    private static String basic(String user) {
        return Credentials.basic(user, "secret");
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS", "H2_TLS"})
    void routeHasItsOwnAuthenticator(Front front) throws Exception {
        try (TestProxy proxy = TestProxy.start(
                front,
                b -> b.basicAuth("all", "secret")
                        .route(r -> r.answer(HERE))
                        .route(r -> r.path("/own").basicAuth("own", "secret").answer(HERE))
                        .route(r -> r.path("/open").withoutAuthentication().answer(HERE)))) {
            for (String[] one : new String[][] {
                {"/", "all", "200"},
                {"/", "own", "401"},
                {"/own", "own", "200"},
                {"/own", "all", "401"},
                {"/open", "nobody", "200"}
            }) {
                assertThat(answer(proxy, one[0], "Authorization", basic(one[1])))
                        .as(one[0] + " " + one[1])
                        .isEqualTo(one[2]);
                assertThat(proxy.record().user())
                        .isEqualTo(Optional.ofNullable(one[2].equals("401") || one[0].equals("/open") ? null : one[1]));
            }
            assertThat(answer(proxy, "/own")).isEqualTo("401");
            assertThat(answer(proxy, "/open")).isEqualTo("200");
        }
    }

    /** Guesses at one route's password lock nobody out of another route. */
    @Test
    void failuresCountForOneAuthenticatorOnly() throws Exception {
        try (TestProxy proxy = TestProxy.start(
                Front.H1,
                b -> b.route(r -> r.basicAuth("all", "secret").answer(HERE))
                        .route(r -> r.path("/own").basicAuth("own", "secret").answer(HERE)))) {
            String last = "";
            for (int i = 0; i < 200 && !last.equals("429"); i++) {
                last = answer(proxy, "/own", "Authorization", Credentials.basic("own", "guess" + i));
            }
            assertThat(last).isEqualTo("429");
            assertThat(answer(proxy, "/", "Authorization", basic("all"))).isEqualTo("200");
        }
    }

    /** The next request on a connection that lives on needs the new ones, of the server and of a route. */
    @Test
    void changedCredentialsHoldForKeptAliveConnections() throws Exception {
        try (TestProxy clear = TestProxy.start(
                        Front.H1,
                        b -> b.basicAuth("old", "secret")
                                .route(r -> r.answer(HERE))
                                .route(r -> r.name("own")
                                        .path("/own")
                                        .basicAuth("old", "secret")
                                        .answer(HERE)));
                TestProxy tls = TestProxy.start(
                        Front.H2_TLS,
                        b -> b.basicAuth("old", "secret")
                                .route(r -> r.answer(HERE))
                                .route(r -> r.name("own")
                                        .path("/own")
                                        .basicAuth("old", "secret")
                                        .answer(HERE)));
                RawConnection client = clear.raw();
                Http2Client streams = Http2Client.open(tls)) {
            List<String> seen = new ArrayList<>();
            int stream = 1;
            for (String user : List.of("old", "old", "new")) {
                for (String path : List.of("/", "/own")) {
                    client.send("GET " + path + " HTTP/1.1¶Host: a¶Authorization: " + basic(user) + "¶¶");
                    seen.add(client.readResponse().substring(9, 12));
                    streams.request(stream, "GET", path, "localhost", "authorization", basic(user));
                    seen.add(streams.answer(stream));
                    stream += 2;
                }
                if (stream == 5) {
                    for (TestProxy proxy : List.of(clear, tls)) {
                        proxy.server()
                                .update(b -> b.basicAuth("new", "secret")
                                        .route(r -> r.name("own")
                                                .path("/own")
                                                .basicAuth("new", "secret")
                                                .answer(HERE)));
                    }
                }
            }
            assertThat(seen)
                    .containsExactly(
                            "200", "200", "200", "200", "401", "401", "401", "401", "200", "200", "200", "200");
        }
    }

    private static final class Counted implements Authenticator {
        private final String name;
        private final List<String> log;
        private final boolean broken;

        Counted(String name, List<String> log, boolean broken) {
            this.name = name;
            this.log = log;
            this.broken = broken;
        }

        @Override
        public void start(ScheduledExecutorService executor) {
            if (broken) {
                throw new IllegalArgumentException(name + " is broken.");
            }
            log.add("+" + name);
        }

        @Override
        public void stop() {
            log.add("-" + name);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Counted;
        }

        @Override
        public int hashCode() {
            return 1;
        }

        @Override
        public CompletionStage<AuthDecision> authenticate(RequestHead request) {
            return CompletableFuture.completedFuture(AuthDecision.granted(name));
        }
    }

    @Test
    void eachAuthenticatorIsStartedOnceAndStoppedWhenNobodyNamesIt() throws Exception {
        List<String> log = new CopyOnWriteArrayList<>();
        Counted one = new Counted("1", log, false);
        Counted two = new Counted("2", log, false);
        Counted three = new Counted("3", log, false);
        Counted broken = new Counted("broken", log, true);
        try (TestProxy proxy = TestProxy.start(
                Front.H1,
                b -> b.authenticator(one)
                        .route(r -> r.name("a").path("/a").authenticator(two).answer(HERE))
                        .route(r -> r.name("b").path("/b").authenticator(two).answer(HERE))
                        .route(r -> r.name("c").path("/c").authenticator(one).answer(HERE)))) {
            assertThat(log).containsExactlyInAnyOrder("+1", "+2");
            log.clear();
            proxy.server()
                    .update(b -> b.route(
                            r -> r.name("a").path("/a").authenticator(three).answer(HERE)));
            assertThat(log).containsExactly("+3");
            log.clear();
            proxy.server().update(b -> b.removeRoute("b"));
            assertThat(log).containsExactly("-2");
            log.clear();
            assertThatThrownBy(() -> proxy.server()
                            .update(b -> b.route(r -> r.name("a")
                                            .path("/a")
                                            .authenticator(two)
                                            .answer(HERE))
                                    .route(r ->
                                            r.path("/d").authenticator(broken).answer(HERE))))
                    .isInstanceOf(ProxyStartException.class)
                    .hasMessage("broken is broken.");
            assertThat(log).as("all or none").isIn(List.of(), List.of("+2", "-2"));
            log.clear();
            assertThat(answer(proxy, "/a")).isEqualTo("200");
            assertThat(proxy.record().user()).contains("3");
        }
        assertThat(log).containsExactlyInAnyOrder("-1", "-3");
    }

    /** One that decides nothing must not let anybody in. */
    @OverBothVersions
    @ExpectedLog(logger = "io.webproxy.undertow.pipeline.Authentication", contains = "The authenticator failed")
    void defectOfAnAuthenticatorIsA500(Front front) throws Exception {
        try (TestProxy proxy = TestProxy.start(
                front,
                b -> b.route(r -> r.answer(HERE)).authenticator(request -> switch (request.path()) {
                    case "/null" -> CompletableFuture.completedFuture(null);
                    case "/stage" -> null;
                    case "/failed" -> CompletableFuture.failedFuture(new IllegalStateException("defect"));
                    default -> throw new IllegalStateException("defect");
                }))) {
            for (String path : List.of("/null", "/stage", "/failed", "/throws")) {
                assertThat(answer(proxy, path)).as(path).isEqualTo("500");
                assertThat(proxy.record().error()).contains(ForwardError.APPLICATION_FAILED);
            }
        }
    }

    private static RequestBody body(int length, boolean known) {
        return new RequestBody() {
            @Override
            public MediaType contentType() {
                return null;
            }

            @Override
            public long contentLength() {
                return known ? length : -1;
            }

            @Override
            public void writeTo(BufferedSink sink) throws java.io.IOException {
                sink.write(new byte[length]);
            }
        };
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS", "H2_TLS"})
    void routeHasItsOwnBodyLimit(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    String head = c.readHead();
                    if (head.contains("chunked")) {
                        while (!c.readLine().startsWith("0")) {
                            // the rest is thrown away
                        }
                    } else {
                        c.read(100);
                    }
                    c.send("HTTP/1.1 200 OK¶Content-Length: 0¶Connection: close¶¶");
                });
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.tuning(t -> t.withHttp(
                                        io.webproxy.http.HttpLimits.defaults().withRequestBodyBytes(50)))
                                .forward(upstream.uri())
                                .route(r ->
                                        r.path("/more").requestBodyBytes(100).forward(upstream.uri()))
                                .route(r -> r.path("/any").requestBodyBytes(0).forward(upstream.uri())))) {
            for (Object[] one :
                    new Object[][] {{"/", 100, 413}, {"/more", 100, 200}, {"/more", 101, 413}, {"/any", 100, 200}}) {
                for (boolean known : new boolean[] {true, false}) {
                    Request request = new Request.Builder()
                            .url(proxy.url((String) one[0]))
                            .post(body((int) one[1], known))
                            .build();
                    try (Response response = proxy.client().newCall(request).execute()) {
                        assertThat(response.code())
                                .as(one[0] + " " + one[1] + known)
                                .isEqualTo(one[2]);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"true, sane-1, true", "true, bad id, false", "false, sane-1, false", "true, , false"})
    void requestHasOneNameEverywhere(boolean trusted, String given, boolean kept) throws Exception {
        BlockingQueue<String> heads = new LinkedBlockingQueue<>();
        for (Front front : List.of(Front.H1, Front.H2_TLS)) {
            try (RawUpstream upstream = RawUpstream.start(c -> {
                        for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                            heads.add(head);
                            c.send("HTTP/1.1 200 OK¶Content-Length: 0¶¶");
                        }
                    });
                    TestProxy proxy = TestProxy.start(
                            front, b -> (trusted ? b.trustedProxies("127.0.0.1") : b).forward(upstream.uri()))) {
                String parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
                List<String> fields = new ArrayList<>(
                        List.of("traceparent", parent, "tracestate", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"));
                if (given != null) {
                    fields.addAll(List.of("x-request-id", given));
                }
                assertThat(answer(proxy, "/", fields.toArray(new String[0]))).isEqualTo("200");
                String head = heads.poll(30, TimeUnit.SECONDS);
                ExchangeRecord record = proxy.record();
                assertThat(record.traceParent()).contains(parent);
                assertThat(record.traceState()).contains("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
                String id = record.requestId();
                assertThat(id).matches(kept ? given : "[0-9a-f]{32}");
                assertThat(head)
                        .containsOnlyOnce("X-Request-Id: " + id + "\r\n")
                        .contains(parent, "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
                assertThat(head.toLowerCase(java.util.Locale.ROOT)).containsOnlyOnce("x-request-id");
            }
        }
    }

    @OverBothVersions
    void anotherEncodingOfThePathIsNoWayAroundTheRoutesAuthenticator(Front front) throws Exception {
        try (TestProxy proxy = TestProxy.start(
                front,
                b -> b.route(r -> r.answer(HERE))
                        .route(r ->
                                r.path("/caf%c3%a9").basicAuth("user", "secret").answer(HERE))
                        .route(r ->
                                r.path("/@admin").basicAuth("user", "secret").answer(HERE)))) {
            for (String[] one : new String[][] {
                {"/caf%C3%A9/x", "401"},
                {"/caf%c3%A9/x", "401"},
                {"/@admin", "401"},
                {"/%40admin", "400"},
                {"/x/..%2f%40admin", "400"},
                {"/x%2f%40admin", "200"},
            }) {
                assertThat(answer(proxy, one[0])).as(one[0]).isEqualTo(one[1]);
            }
        }
    }
}
