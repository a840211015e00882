package io.webproxy.undertow.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.LeakCheck;
import io.webproxy.undertow.deadline.Lease;
import io.webproxy.undertow.deadline.Sweeper;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

/** How long a connection stays open for its client to read the last answer, by a clock of the test's own. */
@ExtendWith(LeakCheck.class)
class LingeringLimitsTest {
    private final AtomicLong clock = new AtomicLong();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final AtomicInteger answered = new AtomicInteger();
    private final AtomicInteger sending = new AtomicInteger();
    private XnioWorker worker;
    private XnioIoThread thread;
    private StreamConnection client;
    private LingeringClose close;

    @BeforeEach
    void start() throws Exception {
        worker = Xnio.getInstance()
                .createWorker(
                        OptionMap.builder().set(Options.WORKER_IO_THREADS, 1).getMap());
        thread = worker.getIoThread();
        var pipe = worker.createFullDuplexPipeConnection();
        client = pipe.getLeftSide();
        StreamConnection server = pipe.getRightSide();
        close = new LingeringClose(
                server,
                new Origin(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 1),
                        new Lease(),
                        server,
                        answered::incrementAndGet,
                        sending::incrementAndGet),
                server.getSourceChannel().getConduit(),
                server.getSinkChannel().getConduit(),
                new Sweeper(thread, clock::get),
                ended::countDown);
        onThread(close::start);
    }

    @AfterEach
    void stop() throws Exception {
        IoUtils.safeClose(client);
        worker.shutdownNow();
        assertThat(worker.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
    }

    private void onThread(Runnable task) throws InterruptedException {
        CountDownLatch ran = new CountDownLatch(1);
        thread.execute(() -> {
            task.run();
            ran.countDown();
        });
        assertThat(ran.await(30, TimeUnit.SECONDS)).isTrue();
    }

    /** More time goes by, and then a byte comes. */
    private void byteAfter(Duration time) throws Exception {
        clock.addAndGet(time.toNanos());
        assertThat(client.getSinkChannel().write(ByteBuffer.wrap(new byte[1]))).isEqualTo(1);
        onThread(close::readReady);
    }

    /** A server that closes waits for the first of both only. */
    @Test
    void itIsToldOnceThatAllIsWrittenAndOnceThatTheClientIsSending() throws Exception {
        assertThat(answered).hasValue(1);
        assertThat(sending).hasValue(0);
        byteAfter(Duration.ofMillis(1));
        byteAfter(Duration.ofMillis(1));
        assertThat(answered).hasValue(1);
        assertThat(sending).hasValue(1);
    }

    @Test
    void silenceEndsIt() throws Exception {
        byteAfter(Duration.ofMillis(4999));
        byteAfter(Duration.ofMillis(4999));
        assertThat(ended.getCount()).isEqualTo(1);
        clock.addAndGet(Duration.ofSeconds(5).toNanos());
        assertThat(ended.await(30, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void thirtySecondsEndIt() throws Exception {
        for (int i = 0; i < 7; i++) {
            byteAfter(Duration.ofSeconds(4));
        }
        assertThat(ended.getCount()).isEqualTo(1);
        clock.addAndGet(Duration.ofSeconds(2).toNanos());
        assertThat(ended.await(30, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void endOfTheClientEndsIt() throws Exception {
        client.getSinkChannel().shutdownWrites();
        client.getSinkChannel().flush();
        assertThat(ended.await(30, TimeUnit.SECONDS)).isTrue();
    }
}
