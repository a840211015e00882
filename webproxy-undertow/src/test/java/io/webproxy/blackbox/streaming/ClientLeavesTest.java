package io.webproxy.blackbox.streaming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.OverHttp1;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import okhttp3.Call;
import okhttp3.MediaType;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A client that goes, in whatever phase and by whatever way, ends the upstream's work at once. */
@ExtendWith(LeakCheck.class)
class ClientLeavesTest {
    /** Application data that no key of the session has sealed. */
    private static final byte[] FORGED_RECORD = Arrays.copyOf(new byte[] {23, 3, 3, 0, 32}, 37);

    /** LeakCheck fails it on the ERROR with a stack that Undertow writes here by itself. */
    @OverHttp1
    void resetBeforeA204IsNoLogLine(Front front) throws Exception {
        CountDownLatch reset = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    reset.await(30, TimeUnit.SECONDS);
                    c.send("HTTP/1.1 204 No Content¶¶");
                    c.end();
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            RawConnection client = proxy.raw();
            client.send("GET / HTTP/1.1¶Host: localhost¶¶");
            await().until(() -> upstream.connections() == 1);
            client.reset();
            reset.countDown();
            assertThat(proxy.record().error()).isIn(Optional.empty(), Optional.of(ForwardError.CLIENT_ABORTED));
        }
    }

    @OverEachFront
    void clientThatLeavesWhileItWaitsEndsTheUpstreamExchange(Front front) throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch ended = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    asked.countDown();
                    c.end();
                    ended.countDown();
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            Call call = proxy.client()
                    .newCall(new Request.Builder().url(proxy.url("/")).build());
            CompletableFuture<Void> running = running(call);
            assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
            call.cancel();
            assertThat(ended.await(30, TimeUnit.SECONDS)).isTrue();
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).contains(ForwardError.CLIENT_ABORTED);
            assertThat(record.status()).isEqualTo(499);
            running.get(30, TimeUnit.SECONDS);
        }
    }

    /** Every way of leaving counts, in every phase: before the head, within the upload, within the response. */
    @ParameterizedTest
    @CsvSource({
        "H1, FIN, WAIT",
        "H1, FIN, UPLOAD",
        "H1, FIN, DOWNLOAD",
        "H1, RST, WAIT",
        "H1, RST, UPLOAD",
        "H1, RST, DOWNLOAD",
        "H1_TLS, FIN, WAIT",
        "H1_TLS, FIN, UPLOAD",
        "H1_TLS, FIN, DOWNLOAD",
        "H1_TLS, RST, WAIT",
        "H1_TLS, RST, UPLOAD",
        "H1_TLS, RST, DOWNLOAD",
        "H1_TLS_JDK, FIN, WAIT",
        "H1_TLS_JDK, RST, WAIT",
        "H1_TLS_JDK, RST, UPLOAD",
        "H1_TLS_JDK, RST, DOWNLOAD",
        "H1_TLS, FORGED_RECORD, WAIT",
        "H1_TLS, FORGED_RECORD, UPLOAD",
        "H1_TLS, FORGED_RECORD, DOWNLOAD",
        "H1_TLS_JDK, FORGED_RECORD, WAIT",
        "H1_TLS_JDK, FORGED_RECORD, DOWNLOAD",
        "H2_TLS, FIN, WAIT",
        "H2_TLS, FIN, UPLOAD",
        "H2_TLS, FIN, DOWNLOAD",
        "H2_TLS, RST, WAIT",
        "H2_TLS, RST, UPLOAD",
        "H2_TLS, RST, DOWNLOAD",
        "H2_TLS, RST_STREAM, WAIT",
        "H2_TLS, RST_STREAM, UPLOAD",
        "H2_TLS, RST_STREAM, DOWNLOAD",
        "H2_TLS, GOAWAY_FIN, WAIT",
        "H2_TLS, GOAWAY_FIN, UPLOAD",
        "H2_TLS, GOAWAY_FIN, DOWNLOAD",
        "H2_TLS_JDK, GOAWAY_FIN, WAIT",
        "H2_TLS_JDK, RST_STREAM, DOWNLOAD"
    })
    void everyWayOfLeavingEndsTheUpstreamExchange(Front front, Leaving how, Phase when) throws Exception {
        CountDownLatch there = new CountDownLatch(1);
        CountDownLatch ended = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    switch (when) {
                        case WAIT -> {}
                        case UPLOAD -> c.read(4);
                        case DOWNLOAD -> c.send("HTTP/1.1 200 OK¶Content-Length: 100¶¶some");
                    }
                    there.countDown();
                    // the framing of a body over HTTP/2
                    c.drain();
                    ended.countDown();
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            if (front.isHttp2()) {
                try (Http2Client client = Http2Client.open(proxy)) {
                    if (when == Phase.UPLOAD) {
                        client.open(1, "POST", "/", "localhost");
                        client.send(Http2Client.DATA, 0, 1, "some".getBytes(StandardCharsets.US_ASCII));
                    } else {
                        client.request(1, "GET", "/", "localhost");
                    }
                    assertThat(there.await(30, TimeUnit.SECONDS)).isTrue();
                    if (when == Phase.DOWNLOAD) {
                        assertThat(client.answer(1)).isEqualTo("200");
                    }
                    switch (how) {
                        case FIN -> client.close();
                        case RST -> client.reset();
                        case FORGED_RECORD -> throw new AssertionError();
                        case RST_STREAM -> client.send(Http2Client.RST_STREAM, 0, 1, new byte[] {0, 0, 0, 8});
                        case GOAWAY_FIN -> {
                            client.send(Http2Client.GOAWAY, 0, 0, new byte[8]);
                            client.close();
                        }
                    }
                    assertThat(ended.await(30, TimeUnit.SECONDS)).isTrue();
                }
            } else {
                try (RawConnection client = proxy.raw()) {
                    client.send(
                            when == Phase.UPLOAD
                                    ? "POST / HTTP/1.1¶Host: localhost¶Content-Length: 100¶¶some"
                                    : "GET / HTTP/1.1¶Host: localhost¶¶");
                    assertThat(there.await(30, TimeUnit.SECONDS)).isTrue();
                    if (when == Phase.DOWNLOAD) {
                        client.readHead();
                    }
                    switch (how) {
                        case FIN -> client.shutdownOutput();
                        case FORGED_RECORD -> client.sendBare(FORGED_RECORD);
                        default -> client.reset();
                    }
                    assertThat(ended.await(30, TimeUnit.SECONDS)).isTrue();
                }
            }
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).contains(ForwardError.CLIENT_ABORTED);
            assertThat(record.status()).isEqualTo(when == Phase.DOWNLOAD ? 200 : 499);
            proxy.awaitIdle();
        }
    }

    /** How a client leaves. */
    enum Leaving {
        FIN,
        RST,
        FORGED_RECORD,
        RST_STREAM,
        GOAWAY_FIN
    }

    /** What it leaves behind. */
    enum Phase {
        WAIT,
        UPLOAD,
        DOWNLOAD
    }

    /** Conscrypt's engine answers a close_notify by its own. */
    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS_JDK"})
    void halfCloseIsNoAbortWhereItIsAllowed(Front front) throws Exception {
        CountDownLatch half = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    half.await(30, TimeUnit.SECONDS);
                    RawConnection.pace(Duration.ofMillis(200));
                    c.send("HTTP/1.1 200 OK¶Content-Length: 8¶¶half");
                    RawConnection.pace(Duration.ofMillis(200));
                    c.send("half");
                });
                TestProxy proxy = TestProxy.start(
                        front, b -> b.route(r -> r.forward(upstream.uri()).allowHalfClose()));
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.1¶Host: localhost¶¶").shutdownOutput();
            half.countDown();
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ").endsWith("halfhalf");
            assertThat(client.end()).isEqualTo("end");
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).isEmpty();
            assertThat(record.status()).isEqualTo(200);
        }
    }

    /** Both halves have ended when the answer has: that isn't the client's leaving. */
    @ParameterizedTest
    @CsvSource({
        "H1, HTTP/1.1, Content-Length: 4¶¶half",
        "H1, HTTP/1.1, Transfer-Encoding: chunked¶¶4¶half¶0¶¶",
        "H1, HTTP/1.0, Content-Length: 4¶¶half",
        "H1, HTTP/1.0, Connection: close¶¶half",
        "H1_TLS_JDK, HTTP/1.1, Content-Length: 4¶¶half",
        "H1_TLS_JDK, HTTP/1.0, Connection: close¶¶half"
    })
    void halfCloseOfAConnectionThatEndsBehindItsAnswerIsNoAbort(Front front, String version, String answer)
            throws Exception {
        CountDownLatch half = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    half.await(30, TimeUnit.SECONDS);
                    RawConnection.pace(Duration.ofMillis(200));
                    c.send("HTTP/1.1 200 OK¶" + answer);
                });
                TestProxy proxy = TestProxy.start(
                        front, b -> b.route(r -> r.forward(upstream.uri()).allowHalfClose()));
                RawConnection client = proxy.raw()) {
            client.send("GET / " + version + "¶Host: localhost¶Connection: close¶¶")
                    .shutdownOutput();
            half.countDown();
            assertThat(client.readAll()).startsWith("HTTP/1.").contains("half");
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).isEmpty();
            assertThat(record.status()).isEqualTo(200);
        }
    }

    @OverEachFront
    void clientThatLeavesWithinItsUploadEndsTheUpstreamExchange(Front front) throws Exception {
        CountDownLatch uploading = new CountDownLatch(1);
        CountDownLatch ended = new CountDownLatch(1);
        CountDownLatch cancelled = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.read(1000);
                    uploading.countDown();
                    // reads on until the proxy has gone
                    c.drain();
                    ended.countDown();
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            RequestBody body = new RequestBody() {
                @Override
                public @Nullable MediaType contentType() {
                    return null;
                }

                @Override
                public long contentLength() {
                    return 1_000_000;
                }

                @Override
                public void writeTo(BufferedSink sink) throws IOException {
                    sink.write(new byte[50_000]).flush();
                    try {
                        cancelled.await(30, TimeUnit.SECONDS);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    throw new IOException("the client has gone");
                }
            };
            Call call = proxy.client()
                    .newCall(
                            new Request.Builder().url(proxy.url("/")).post(body).build());
            CompletableFuture<Void> running = running(call);
            assertThat(uploading.await(30, TimeUnit.SECONDS)).isTrue();
            call.cancel();
            cancelled.countDown();
            assertThat(ended.await(30, TimeUnit.SECONDS)).isTrue();
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).contains(ForwardError.CLIENT_ABORTED);
            assertThat(record.status()).isEqualTo(499);
            running.get(30, TimeUnit.SECONDS);
        }
    }

    @OverEachFront
    void clientThatLeavesASilentStreamEndsTheUpstreamExchange(Front front) throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶Content-Type: text/event-stream¶Transfer-Encoding: chunked¶¶5¶hello¶");
                    c.end();
                    ended.countDown();
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            Call call = proxy.client()
                    .newCall(new Request.Builder().url(proxy.url("/")).build());
            try (Response response = call.execute()) {
                assertThat(response.body().source().readUtf8(5)).isEqualTo("hello");
                call.cancel();
                assertThat(ended.await(30, TimeUnit.SECONDS)).isTrue();
                assertThat(proxy.record().error()).contains(ForwardError.CLIENT_ABORTED);
            }
        }
    }

    /** A call on a thread of its own, which the test is going to cancel. */
    private static CompletableFuture<Void> running(Call call) {
        return CompletableFuture.runAsync(() -> {
            try {
                call.execute().close();
            } catch (IOException e) {
                // cancelled
            }
        });
    }
}
