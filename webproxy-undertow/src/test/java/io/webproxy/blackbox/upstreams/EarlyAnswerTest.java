package io.webproxy.blackbox.upstreams;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.route.Balancing;
import io.webproxy.route.Upstream;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.RefusedPort;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import io.webproxy.undertow.testing.UpstreamKind;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Uploads that are answered while the upstream takes no more of them, on a route that tries another upstream. */
@ExtendWith(LeakCheck.class)
class EarlyAnswerTest {
    private static final int LENGTH = 8 << 20;
    private static final int FIRST_WINDOW = 65_535;
    private static final String BUSY = "HTTP/1.1 429 Busy¶Content-Length: 1¶¶";

    /** An upstream whose socket takes little. */
    private static RawUpstream narrow(RawUpstream.Script script) throws IOException {
        ServerSocket server = new ServerSocket();
        server.setReceiveBufferSize(4096);
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        return RawUpstream.start(server, script);
    }

    /** Returns once nothing more arrives. */
    private static void awaitBlocked(RawConnection upload) throws IOException {
        int before;
        int waiting = 0;
        do {
            before = waiting;
            RawConnection.pace(Duration.ofMillis(100));
            waiting = upload.socket().getInputStream().available();
        } while (waiting == 0 || waiting != before);
    }

    private static TestProxy proxy(UpstreamKind kind, RawUpstream first, String second) {
        UpstreamGroup group = UpstreamGroup.of(kind.upstream(first), Upstream.of(second));
        return TestProxy.start(
                Front.H1,
                p -> p.jdkTls(kind.provider() == TlsProvider.JDK)
                        .route(r -> r.forward(group.balancing(Balancing.failover()))
                                .retryOn(429)
                                .retryBodyBytes(16 << 20))
                        .retries(1, 1000));
    }

    /** The response to an upload. */
    private static FutureTask<String> upload(RawConnection client) {
        FutureTask<String> upload = new FutureTask<>(() -> {
            client.send("PUT / HTTP/1.1¶Host: localhost¶Content-Length: " + LENGTH + "¶¶" + "x".repeat(LENGTH));
            return client.readResponse();
        });
        new Thread(upload, "upload").start();
        return upload;
    }

    private static long cpuNanosOfIoThreads() {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long sum = 0;
        for (ThreadInfo thread : threads.getThreadInfo(threads.getAllThreadIds())) {
            if (thread != null && thread.getThreadName().startsWith("webproxy I/O")) {
                sum += threads.getThreadCpuTime(thread.getThreadId());
            }
        }
        return sum;
    }

    private static void assertThatIoThreadsRest(UpstreamKind kind, RawUpstream first) throws Exception {
        CountDownLatch got = new CountDownLatch(1);
        CountDownLatch measured = new CountDownLatch(1);
        try (RawUpstream second = RawUpstream.start(c -> {
                    c.readHead();
                    assertThat(c.read(LENGTH)).hasSize(LENGTH);
                    got.countDown();
                    measured.await(30, TimeUnit.SECONDS);
                    c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                });
                TestProxy proxy = proxy(kind, first, second.uri());
                RawConnection client = proxy.raw()) {
            FutureTask<String> upload = upload(client);
            assertThat(got.await(30, TimeUnit.SECONDS)).isTrue();
            long before = cpuNanosOfIoThreads();
            RawConnection.pace(Duration.ofMillis(500));
            long used = cpuNanosOfIoThreads() - before;
            measured.countDown();
            assertThat(upload.get(30, TimeUnit.SECONDS))
                    .startsWith("HTTP/1.1 200 ")
                    .endsWith("ok");
            assertThat(second.failures()).isEmpty();
            // a thread that never rests uses all that the machine has for it
            assertThat(Duration.ofNanos(used)).isLessThan(Duration.ofMillis(40));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1", "H1_TLS", "H1_TLS_JDK"})
    void upstreamThatReadsOnAfterItsAnswerCannotKeepAThreadBusy(UpstreamKind kind) throws Exception {
        try (RawUpstream first = narrow(tcp -> {
            RawConnection c = kind.serve(tcp);
            c.readHead();
            awaitBlocked(tcp);
            c.send(BUSY);
            c.drain();
        })) {
            assertThatIoThreadsRest(kind, first);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H2C", "H2_TLS", "H2_TLS_JDK"})
    void upstreamThatOpensItsWindowAfterItsAnswerCannotKeepAThreadBusy(UpstreamKind kind) throws Exception {
        byte[] more = ByteBuffer.allocate(4).putInt(16 << 20).array();
        try (RawUpstream first = kind.start(c -> {
            try (Http2Client h2 = Http2Client.serve(c)) {
                int stream = h2.next(Http2Client.HEADERS).stream();
                int rest = FIRST_WINDOW;
                while (rest > 0) {
                    rest -= h2.next(Http2Client.DATA).payload().length;
                }
                h2.respond(stream, 0, "429");
                h2.send(Http2Client.WINDOW_UPDATE, 0, 0, more);
                h2.send(Http2Client.WINDOW_UPDATE, 0, stream, more);
                h2.end();
            }
        })) {
            assertThatIoThreadsRest(kind, first);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1", "H1_TLS", "H1_TLS_JDK"})
    void uploadGoesOnToTheFirstUpstreamWhenNoOtherCanBeConnectedTo(UpstreamKind kind) throws Exception {
        CountDownLatch got = new CountDownLatch(1);
        try (RawUpstream first = narrow(tcp -> {
                    RawConnection c = kind.serve(tcp);
                    c.readHead();
                    awaitBlocked(tcp);
                    c.send(BUSY);
                    assertThat(c.read(LENGTH)).hasSize(LENGTH);
                    got.countDown();
                    c.send("a");
                });
                RefusedPort refused = RefusedPort.open();
                TestProxy proxy = proxy(kind, first, refused.uri());
                RawConnection client = proxy.raw()) {
            FutureTask<String> upload = upload(client);
            assertThat(got.await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(upload.get(30, TimeUnit.SECONDS))
                    .startsWith("HTTP/1.1 429 ")
                    .endsWith("a");
        }
    }

    /** Nobody has asked for it. */
    @ParameterizedTest
    @EnumSource(names = {"H1", "H1_TLS"})
    void switchWhileAnUploadIsSentAgainDoesNotReplaceTheAnswerThatIsKept(UpstreamKind kind) throws Exception {
        try (RawUpstream first = kind.start(c -> {
                    c.readHead();
                    assertThat(c.read(LENGTH)).hasSize(LENGTH);
                    c.send(BUSY + "a");
                    c.end();
                });
                RawUpstream second = narrow(c -> {
                    c.readHead();
                    awaitBlocked(c);
                    c.send("HTTP/1.1 101 Switching¶Connection: Upgrade¶Upgrade: tcp¶¶GET / HTTP/1.1¶¶");
                    c.drain();
                });
                TestProxy proxy = proxy(kind, first, second.uri());
                RawConnection client = proxy.raw()) {
            FutureTask<String> upload = upload(client);
            assertThat(upload.get(30, TimeUnit.SECONDS))
                    .startsWith("HTTP/1.1 429 ")
                    .endsWith("a");
            assertThat(proxy.record().attempts()).isEqualTo(2);
        }
    }

    @Test
    void uploadThatIsSentAgainGoesOnWhenItsEarlyAnswerIsTheClients() throws Exception {
        try (RawUpstream first = RawUpstream.start(c -> {
                    c.readHead();
                    c.read(LENGTH);
                    c.send(BUSY.replace("Content", "Retry-After: 60¶Content") + "a");
                    c.end();
                });
                RawUpstream second = narrow(c -> {
                    c.readHead();
                    awaitBlocked(c);
                    c.send(BUSY.replace("Content", "Retry-After: 1¶Content"));
                    c.socket().setReceiveBufferSize(LENGTH);
                    assertThat(c.read(LENGTH)).hasSize(LENGTH);
                    c.send("b");
                });
                RefusedPort refused = RefusedPort.open();
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        p -> p.route(r -> r.forward(UpstreamGroup.of(first.uri(), second.uri(), refused.uri())
                                                .balancing(Balancing.failover()))
                                        .retryOn(429)
                                        .retryBodyBytes(16 << 20))
                                .retries(1, 1000));
                RawConnection client = proxy.raw()) {
            FutureTask<String> upload = upload(client);
            assertThat(upload.get(30, TimeUnit.SECONDS))
                    .startsWith("HTTP/1.1 429 ")
                    .endsWith("b");
        }
    }

    /** Bytes move, so it isn't silent. */
    @Test
    void uploadThatIsSentAgainForLongIsNotCutAfterItsEarlyAnswer() throws Exception {
        CountDownLatch waited = new CountDownLatch(1);
        CountDownLatch most = new CountDownLatch(1);
        CountDownLatch waitedAgain = new CountDownLatch(1);
        TestClock clock = new TestClock();
        try (RawUpstream first = RawUpstream.start(c -> {
                    c.readHead();
                    c.read(LENGTH);
                    c.send(BUSY + "a");
                    c.end();
                });
                RawUpstream second = narrow(c -> {
                    c.readHead();
                    awaitBlocked(c);
                    c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶");
                    waited.await(30, TimeUnit.SECONDS);
                    c.socket().setReceiveBufferSize(1 << 20);
                    c.read(LENGTH / 8 * 7);
                    most.countDown();
                    waitedAgain.await(30, TimeUnit.SECONDS);
                    assertThat(c.read(LENGTH / 8)).hasSize(LENGTH / 8);
                    c.send("ok");
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        clock,
                        p -> p.route(r -> r.forward(UpstreamGroup.of(first.uri(), second.uri())
                                                .balancing(Balancing.failover()))
                                        .retryOn(429)
                                        .retryBodyBytes(16 << 20))
                                .retries(1, 1000));
                RawConnection client = proxy.raw()) {
            FutureTask<String> head = new FutureTask<>(() -> {
                client.send("PUT / HTTP/1.1¶Host: localhost¶Content-Length: " + LENGTH + "¶¶" + "x".repeat(LENGTH));
                return client.readHead();
            });
            new Thread(head, "upload").start();
            assertThat(head.get(30, TimeUnit.SECONDS)).startsWith("HTTP/1.1 200 ");
            clock.passAndLook(Duration.ofSeconds(40));
            waited.countDown();
            assertThat(most.await(30, TimeUnit.SECONDS)).isTrue();
            clock.passAndLook(Duration.ofSeconds(40));
            waitedAgain.countDown();
            assertThat(client.read(2)).isEqualTo("ok");
        }
    }
}
