package io.webproxy.blackbox.streaming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyConfig;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.PoolLimits;
import io.webproxy.testing.HangingPort;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.OverHttp1;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A client that leaves is noticed at once, in every phase of its exchange, whatever body its request has, and whether
 * or not that has come.
 */
@ExtendWith(LeakCheck.class)
class DepartureTest {
    /** Where the exchange is when the client leaves. */
    enum Phase {
        /** The upstream doesn't accept the connection. */
        CONNECT,
        /** All connections to the upstream are in use. */
        POOL,
        /** The upstream has the request, as far as there is one. */
        HEAD,
        /** The upstream is silent within its response. */
        SILENT,
        /** The upstream sends its response. */
        STREAM
    }

    /** What the client has sent behind the head; {@code sent} is empty where HTTP/2 has no such thing. */
    enum Body {
        NONE("", "", ""),
        EMPTY("Content-Length: 0¶", "", ""),
        LENGTH("Content-Length: 4¶", "some", "some"),
        HALF_LENGTH("Content-Length: 100¶", "some", "some"),
        CHUNKED("Transfer-Encoding: chunked¶", "4¶some¶0¶¶", "0\r\n\r\n"),
        HALF_CHUNKED("Transfer-Encoding: chunked¶", "4¶some¶4¶so", "so"),
        TRAILERS("Transfer-Encoding: chunked¶Trailer: X-End¶", "4¶some¶0¶X-End: 1¶¶", "0\r\n"),
        EXPECT("Content-Length: 4¶Expect: 100-continue¶", "", ""),
        NONE_PIPELINED("", NEXT, ""),
        LENGTH_PIPELINED("Content-Length: 4¶", "some" + NEXT, "some"),
        CHUNKED_PIPELINED("Transfer-Encoding: chunked¶", "4¶some¶0¶¶" + NEXT, "0\r\n\r\n");

        private final String fields;
        private final String sent;
        private final String seen;

        Body(String fields, String sent, String seen) {
            this.fields = fields;
            this.sent = sent;
            this.seen = seen;
        }

        boolean isOfHttp2() {
            return this != EXPECT && !name().endsWith("_PIPELINED");
        }

        void send(Http2Client client, String path) throws IOException {
            switch (this) {
                case NONE -> client.request(1, "POST", path, "localhost");
                case EMPTY -> client.request(1, "POST", path, "localhost", "content-length", "0");
                case LENGTH, HALF_LENGTH ->
                    client.open(1, "POST", path, "localhost", "content-length", this == LENGTH ? "4" : "100");
                default -> client.open(1, "POST", path, "localhost");
            }
            if (this != NONE && this != EMPTY) {
                int end = this == LENGTH || this == CHUNKED ? Http2Client.END_STREAM : 0;
                client.send(Http2Client.DATA, end, 1, "some".getBytes(StandardCharsets.US_ASCII));
            }
            if (this == TRAILERS) {
                client.sendBlock(Http2Client.END_STREAM, 1, Http2Client.fields("x-end", "1"), 1000);
            }
        }
    }

    private static final String NEXT = "GET /next HTTP/1.1¶Host: localhost¶¶";

    /** How a client leaves. */
    enum Way {
        FIN,
        RST,
        RST_STREAM
    }

    @ParameterizedTest
    @CsvSource({
        "H1, CONNECT", "H1, POOL", "H1, HEAD", "H1, SILENT", "H1, STREAM",
        "H1_TLS, CONNECT", "H1_TLS, POOL", "H1_TLS, HEAD", "H1_TLS, SILENT", "H1_TLS, STREAM",
        "H1_TLS_JDK, CONNECT", "H1_TLS_JDK, POOL", "H1_TLS_JDK, HEAD", "H1_TLS_JDK, SILENT", "H1_TLS_JDK, STREAM",
        "H2_TLS, CONNECT", "H2_TLS, POOL", "H2_TLS, HEAD", "H2_TLS, SILENT", "H2_TLS, STREAM",
        "H2_TLS_JDK, CONNECT", "H2_TLS_JDK, POOL", "H2_TLS_JDK, HEAD", "H2_TLS_JDK, SILENT", "H2_TLS_JDK, STREAM"
    })
    void isNoticedWhateverWasSent(Front front, Phase phase) throws Exception {
        Set<String> arrived = ConcurrentHashMap.newKeySet();
        try (HangingPort hanging = phase == Phase.CONNECT ? HangingPort.open() : null;
                RawUpstream upstream = RawUpstream.start(c -> serve(c, phase, arrived));
                TestProxy proxy =
                        TestProxy.start(front, forwarding(phase, hanging != null ? hanging.uri() : upstream.uri()))) {
            List<Client> clients = new ArrayList<>();
            Set<String> expected = new HashSet<>();
            if (phase == Phase.POOL) {
                clients.add(Client.open(proxy, "/holder", Body.NONE));
                await().until(() -> upstream.connections() == 1);
            }
            int first = clients.size();
            for (Way way : Way.values()) {
                for (Body body : Body.values()) {
                    if (front.isHttp2() ? body.isOfHttp2() : way != Way.RST_STREAM) {
                        String path = "/" + way + "/" + body;
                        expected.add(path);
                        clients.add(Client.open(proxy, path, body));
                    }
                }
            }
            await().until(() -> proxy.server().status().exchanges() == clients.size());
            if (phase != Phase.CONNECT && phase != Phase.POOL) {
                await().until(() -> arrived.equals(expected));
            }
            for (Client client : clients) {
                if (phase == Phase.SILENT || phase == Phase.STREAM) {
                    client.awaitAnswer();
                }
            }
            for (Client client : clients.subList(first, clients.size())) {
                client.leave();
            }
            Set<String> noticed = new HashSet<>();
            for (int i = first; i < clients.size(); i++) {
                ExchangeRecord record = proxy.record();
                noticed.add(record.path());
                assertThat(record.error()).as(record.path()).contains(ForwardError.CLIENT_ABORTED);
            }
            assertThat(noticed).isEqualTo(expected);
            if (phase != Phase.CONNECT && phase != Phase.POOL) {
                await().untilAsserted(() -> assertThat(arrived).isEmpty());
            }
            if (first > 0) {
                clients.get(0).leave();
            }
            proxy.awaitIdle();
        }
    }

    /** No limit of the proxy's own ends what the client is to end. */
    private static Consumer<ProxyConfig.Builder> forwarding(Phase phase, String upstream) {
        return b -> b.forward(upstream)
                .timeouts(TimeoutPolicy.defaults().withConnect(Duration.ofMinutes(1)))
                .tuning(t -> t.withPool(PoolLimits.defaults()
                        .withConnections(phase == Phase.POOL ? 1 : 1000)
                        .withQueue(1000, Duration.ofMinutes(1))));
    }

    /** Says that the request has arrived, and no more once the connection has ended. */
    private static void serve(RawConnection c, Phase phase, Set<String> arrived) throws IOException {
        String head = c.readHead();
        String path = head.split(" ")[1];
        String until = path.equals("/holder") ? "" : Body.valueOf(path.substring(path.lastIndexOf('/') + 1)).seen;
        if (phase == Phase.SILENT || phase == Phase.STREAM) {
            c.send("HTTP/1.1 200 OK¶Content-Type: text/event-stream¶Transfer-Encoding: chunked¶¶5¶hello¶");
        }
        StringBuilder body = new StringBuilder();
        while (body.indexOf(until) < 0) {
            body.append((char) c.readByte());
        }
        arrived.add(path);
        try {
            if (phase == Phase.STREAM) {
                while (true) {
                    RawConnection.pace(Duration.ofMillis(20));
                    c.send("5¶hello¶");
                }
            }
            // what is left of the body
            c.drain();
        } finally {
            arrived.remove(path);
        }
    }

    /** A client with one request. */
    private interface Client {
        static Client open(TestProxy proxy, String path, Body body) throws IOException {
            Way way = path.equals("/holder") ? Way.FIN : Way.valueOf(path.split("/")[1]);
            if (proxy.front().isHttp2()) {
                Http2Client client = Http2Client.open(proxy);
                body.send(client, path);
                return new OnHttp2(client, way);
            }
            RawConnection client = proxy.raw();
            client.send("POST " + path + " HTTP/1.1¶Host: localhost¶" + body.fields + "¶" + body.sent);
            return new OnHttp1(client, way);
        }

        void awaitAnswer() throws IOException;

        void leave() throws IOException;
    }

    private record OnHttp1(RawConnection connection, Way way) implements Client {
        @Override
        public void awaitAnswer() throws IOException {
            assertThat(connection.readHead()).contains("200");
        }

        @Override
        public void leave() throws IOException {
            if (way == Way.RST) {
                connection.reset();
            } else {
                connection.shutdownOutput();
            }
        }
    }

    private record OnHttp2(Http2Client connection, Way way) implements Client {
        @Override
        public void awaitAnswer() throws IOException {
            assertThat(connection.answer(1)).isEqualTo("200");
        }

        @Override
        public void leave() throws IOException {
            switch (way) {
                case FIN -> connection.close();
                case RST -> connection.reset();
                case RST_STREAM -> connection.send(Http2Client.RST_STREAM, 0, 1, new byte[] {0, 0, 0, 8});
            }
        }
    }

    /** What comes while the client is watched is of the next requests, and in order, however much of it there is. */
    @OverHttp1
    void requestsThatCameMeanwhileAreServedInOrder(Front front) throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                        if (head.contains("content-length: 4") || head.contains("Content-Length: 4")) {
                            assertThat(c.read(4)).isEqualTo("some");
                        } else if (head.toLowerCase(Locale.ROOT).contains("chunked")) {
                            assertThat(c.readLine()).isEqualTo("4\r\n");
                            assertThat(c.read(6)).isEqualTo("some\r\n");
                            assertThat(c.read(5)).isEqualTo("0\r\n\r\n");
                        }
                        release.await(30, TimeUnit.SECONDS);
                        String path = head.split(" ")[1];
                        c.send("HTTP/1.1 200 OK¶Content-Length: " + path.length() + "¶¶" + path);
                    }
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            List<RawConnection> clients = new ArrayList<>();
            List<Body> bodies = List.of(Body.NONE, Body.EMPTY, Body.LENGTH, Body.CHUNKED);
            String filler = "X-Fill: " + "f".repeat(4000) + "¶";
            for (Body body : bodies) {
                RawConnection client = proxy.raw();
                clients.add(client);
                client.send("POST /0 HTTP/1.1¶Host: localhost¶" + body.fields + "¶" + body.sent);
            }
            await().until(() -> upstream.connections() == clients.size());
            for (int i = 1; i < 10; i++) {
                for (int k = 0; k < clients.size(); k++) {
                    Body next = bodies.get((i + k) % bodies.size());
                    String request =
                            "POST /" + i + " HTTP/1.1¶Host: localhost¶" + next.fields + filler + "¶" + next.sent;
                    // in two pieces, so that the end of what was read ahead falls anywhere
                    int cut = request.length() * i / 10;
                    clients.get(k).send(request.substring(0, cut));
                    RawConnection.pace(Duration.ofMillis(10));
                    clients.get(k).send(request.substring(cut));
                }
            }
            release.countDown();
            for (RawConnection client : clients) {
                for (int i = 0; i < 10; i++) {
                    assertThat(client.readResponse())
                            .startsWith("HTTP/1.1 200 ")
                            .endsWith("¶¶/".replace("¶", "\r\n") + i);
                }
                client.close();
            }
            assertThat(upstream.failures()).isEmpty();
        }
    }

    /**
     * More has come than is kept: the end of it is behind bytes that aren't read. Several at once, because the kernel's
     * table is looked at for a hundredth of the time at most, and has to lack a connection twice: a while where others
     * have left tens of thousands of connections in it.
     */
    @OverHttp1
    void isNoticedBehindManyBytesThatNoOneReads(Front front) throws Exception {
        Set<String> arrived = ConcurrentHashMap.newKeySet();
        CountDownLatch over = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    arrived.add(c.readHead().split(" ")[1]);
                    over.await(180, TimeUnit.SECONDS);
                });
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.forward(upstream.uri())
                                .timeouts(
                                        TimeoutPolicy.defaults().with(TimeoutClass.DEFAULT, Duration.ofMinutes(10))));
                RawConnection ends = proxy.raw();
                RawConnection resets = proxy.raw();
                RawConnection uploads = proxy.raw()) {
            try {
                String requests = (NEXT + "¶").repeat(2000);
                ends.send("GET /ends HTTP/1.1¶Host: localhost¶¶" + requests);
                resets.send("GET /resets HTTP/1.1¶Host: localhost¶¶" + requests);
                uploads.send("POST /uploads HTTP/1.1¶Host: localhost¶Content-Length: 100000000¶¶");
                Thread sender = new Thread(() -> {
                    byte[] piece = new byte[100_000];
                    try {
                        for (int i = 0; i < 1000; i++) {
                            uploads.send(piece);
                        }
                    } catch (IOException e) {
                        // the reset
                    }
                });
                sender.start();
                await().until(() -> arrived.size() == 3);
                RawConnection.pace(Duration.ofMillis(300));
                ends.close();
                resets.reset();
                uploads.reset();
                sender.join();
                await().atMost(150, TimeUnit.SECONDS)
                        .until(() -> proxy.server().status().exchanges() == 0);
                Set<String> left = new HashSet<>();
                for (int i = 0; i < 3; i++) {
                    ExchangeRecord record = proxy.record();
                    left.add(record.path());
                    assertThat(record.error()).contains(ForwardError.CLIENT_ABORTED);
                }
                assertThat(left).containsExactlyInAnyOrder("/ends", "/resets", "/uploads");
            } finally {
                over.countDown();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"H1, LENGTH", "H1, CHUNKED", "H1_TLS_JDK, LENGTH", "H1_TLS_JDK, CHUNKED"})
    void halfCloseAfterABodyIsNoneWhereItIsAllowed(Front front, Body body) throws Exception {
        CountDownLatch half = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    half.await(30, TimeUnit.SECONDS);
                    RawConnection.pace(Duration.ofMillis(200));
                    c.send("HTTP/1.1 200 OK¶Content-Length: 4¶¶half");
                });
                TestProxy proxy = TestProxy.start(
                        front, b -> b.route(r -> r.forward(upstream.uri()).allowHalfClose()));
                RawConnection client = proxy.raw()) {
            client.send("POST / HTTP/1.1¶Host: localhost¶" + body.fields + "¶" + body.sent)
                    .shutdownOutput();
            half.countDown();
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ").endsWith("half");
            assertThat(proxy.record().error()).isEmpty();
        }
    }
}
