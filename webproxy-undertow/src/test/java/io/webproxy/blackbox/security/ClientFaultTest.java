package io.webproxy.blackbox.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.http.HttpLimits;
import io.webproxy.testing.Fault;
import io.webproxy.testing.Fault.Kind;
import io.webproxy.testing.FaultProxy;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Faults between the client and the proxy, at every place of a connection: the upstream never sees a body end before
 * its end, the client never a short answer that looks whole, and nothing is left of the connection.
 */
@ExtendWith(LeakCheck.class)
class ClientFaultTest {
    /**
     * Limits that end what stalls, should the client not do so: far above its patience, so that what is good has time.
     */
    private static final HttpLimits SHORT = HttpLimits.defaults()
            .withHeadTime(Duration.ofSeconds(4))
            .withRequestBodyRate(100_000, Duration.ofSeconds(4));

    /** What a client waits for an answer that stalls. */
    private static final Duration PATIENCE = Duration.ofMillis(200);

    private static final Duration DELAY = Duration.ofMillis(20);
    private static final byte[] BODY = new byte[20_000];
    private static final long[] OFFSETS = {0, 20, 400, 1000, 12_000};
    private static final long[] STALL_OFFSETS = {20, 1000, 12_000};

    static {
        new Random(1).nextBytes(BODY);
    }

    /**
     * Takes uploads in chunks, counts those that end but are not whole, and answers with the body that every answer
     * has.
     */
    private static RawUpstream upstream(AtomicInteger cut) throws IOException {
        return RawUpstream.start(c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                assertThat(head).containsIgnoringCase("transfer-encoding: chunked");
                int length = readChunks(c);
                if (length < 0) {
                    return;
                }
                if (length != BODY.length) {
                    cut.incrementAndGet();
                }
                c.send("HTTP/1.1 200 OK¶Content-Length: " + BODY.length + "¶¶");
                c.send(BODY);
            }
        });
    }

    /** How long a chunked body was, -1 if it has no end. */
    private static int readChunks(RawConnection connection) throws IOException {
        int length = 0;
        while (true) {
            String line = connection.readLine();
            if (!line.endsWith("\r\n")) {
                return -1;
            }
            int size = Integer.parseInt(line.strip(), 16);
            length += size;
            if (connection.read(size + 2).length() < size + 2) {
                return -1;
            }
            if (size == 0) {
                return length;
            }
        }
    }

    private static String fetch(OkHttpClient client, HttpUrl url) {
        client.connectionPool().evictAll();
        Request request = new Request.Builder().url(url).post(chunked()).build();
        try (Response response = client.newCall(request).execute()) {
            byte[] body = response.body().bytes();
            return response.code() != 200
                    ? Integer.toString(response.code())
                    : Arrays.equals(body, BODY) ? "whole" : "short: " + body.length;
        } catch (IOException e) {
            return "abort";
        }
    }

    private static RequestBody chunked() {
        return new RequestBody() {
            @Override
            public @Nullable MediaType contentType() {
                return null;
            }

            @Override
            public void writeTo(BufferedSink sink) throws IOException {
                sink.write(BODY);
            }
        };
    }

    @ParameterizedTest
    @CsvSource({
        "H1, DELAY", "H1, BYTE_WISE", "H1, STALL", "H1, HALF_CLOSE", "H1, CUT", "H1, RESET",
        "H1_TLS, DELAY", "H1_TLS, BYTE_WISE", "H1_TLS, STALL", "H1_TLS, HALF_CLOSE", "H1_TLS, CUT", "H1_TLS, RESET",
        "H2_TLS, DELAY", "H2_TLS, BYTE_WISE", "H2_TLS, STALL", "H2_TLS, HALF_CLOSE", "H2_TLS, CUT", "H2_TLS, RESET"
    })
    void faultNeverLooksLikeAnEnd(Front front, Kind kind) throws Exception {
        AtomicInteger cut = new AtomicInteger();
        boolean harmless = kind == Kind.DELAY || kind == Kind.BYTE_WISE;
        try (RawUpstream upstream = upstream(cut);
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.forward(upstream.uri())
                                .tuning(t -> t.withHttp(kind == Kind.STALL ? SHORT : HttpLimits.defaults())));
                FaultProxy faulty = FaultProxy.before(proxy.port())) {
            HttpUrl url = proxy.url("/")
                    .newBuilder()
                    .port(HttpUrl.get(faulty.uri()).port())
                    .build();
            OkHttpClient client = kind == Kind.STALL
                    ? proxy.client().newBuilder().readTimeout(PATIENCE).build()
                    : proxy.client();
            for (long offset : kind == Kind.STALL ? STALL_OFFSETS : OFFSETS) {
                Fault fault = new Fault(kind, offset, DELAY);
                faulty.faults(fault, Fault.NONE);
                String sent = fetch(client, url);
                faulty.faults(Fault.NONE, fault);
                String got = fetch(client, url);
                faulty.faults(Fault.NONE, Fault.NONE);
                String good = fetch(proxy.client(), url);
                String as = String.format(Locale.ROOT, "fault behind %d bytes: sent %s, got %s", offset, sent, got);
                assertThat(good).as(as).isEqualTo("whole");
                assertThat(sent).as(as).isIn(harmless ? new Object[] {"whole"} : new Object[] {"abort", "408"});
                assertThat(got).as(as).isEqualTo(harmless ? "whole" : "abort");
                assertThat(cut)
                        .as(as + "; uploads that ended and were not whole")
                        .hasValue(0);
            }
            client.connectionPool().evictAll();
            await().untilAsserted(() -> {
                assertThat(proxy.server().status().exchanges()).isZero();
                assertThat(proxy.server().status().connections()).isZero();
            });
            assertThat(upstream.failures()).isEmpty();
        }
    }

    /**
     * Undertow marks the request of a stream whose connection ends as complete: whoever then asks the upstream sends an
     * empty upload.
     */
    @ParameterizedTest
    @ValueSource(strings = {"FIN", "RST", "GOAWAY", "RST_STREAM"})
    void uploadWhoseClientLeavesBehindTheHeadNeverEnds(String how) throws Exception {
        AtomicInteger ended = new AtomicInteger();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    String head = c.readHead();
                    if (!head.isEmpty() && readChunks(c) >= 0) {
                        ended.incrementAndGet();
                    }
                });
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri())) {
            for (int round = 0; round < 20; round++) {
                Http2Client client = Http2Client.open(proxy);
                client.open(1, "POST", "/", "localhost");
                if (round % 2 == 0) {
                    client.send(Http2Client.DATA, 0, 1, new byte[1000]);
                }
                switch (how) {
                    case "RST" -> client.reset();
                    case "GOAWAY" -> client.send(Http2Client.GOAWAY, 0, 0, new byte[8]);
                    case "RST_STREAM" -> client.send(Http2Client.RST_STREAM, 0, 1, new byte[] {0, 0, 0, 8});
                    default -> {
                        // the end of the connection says it
                    }
                }
                client.close();
            }
            await().untilAsserted(() -> {
                assertThat(proxy.server().status().exchanges()).isZero();
                assertThat(proxy.server().status().connections()).isZero();
            });
            await().during(Duration.ofMillis(100))
                    .untilAsserted(() -> assertThat(ended)
                            .as("uploads that ended though their client had left")
                            .hasValue(0));
            assertThat(upstream.failures()).isEmpty();
        }
    }
}
