package io.webproxy.undertow.http2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.undertow.util.ImmediatePooledByteBuffer;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.ChannelListener;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioWorker;
import org.xnio.channels.AcceptingChannel;

@ExtendWith(LeakCheck.class)
class TurnsTest {
    private final BlockingQueue<StreamConnection> accepted = new ArrayBlockingQueue<>(10);
    private XnioWorker worker;
    private AcceptingChannel<StreamConnection> server;
    private int port;

    @BeforeEach
    void start() throws Exception {
        worker = Xnio.getInstance()
                .createWorker(OptionMap.create(Options.WORKER_IO_THREADS, 1, Options.THREAD_DAEMON, true));
        ChannelListener<AcceptingChannel<StreamConnection>> listener = channel -> {
            StreamConnection connection = accept(channel);
            if (connection != null) {
                accepted.add(connection);
            }
        };
        server = worker.createStreamConnectionServer(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), listener, OptionMap.EMPTY);
        server.resumeAccepts();
        port = server.getLocalAddress(InetSocketAddress.class).getPort();
    }

    @AfterEach
    void stop() throws Exception {
        IoUtils.safeClose(server);
        worker.shutdownNow();
        assertThat(worker.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
    }

    private static @Nullable StreamConnection accept(AcceptingChannel<StreamConnection> channel) {
        try {
            return channel.accept();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private StreamConnection next() throws InterruptedException {
        StreamConnection next = accepted.poll(30, TimeUnit.SECONDS);
        assertThat(next).isNotNull();
        return next;
    }

    /** Takes what comes, and has something more to do as long as it is told to. */
    private static final class Busy implements Turns.Steps {
        private final AtomicInteger writes = new AtomicInteger();
        private final AtomicInteger taken = new AtomicInteger();
        private final CountDownLatch ended = new CountDownLatch(1);
        private volatile boolean leaves;
        private volatile boolean more;
        private volatile boolean blocked;

        @Override
        public boolean take(ByteBuffer bytes) {
            if (leaves) {
                writes.incrementAndGet();
                return false;
            }
            taken.addAndGet(bytes.remaining());
            bytes.position(bytes.limit());
            return true;
        }

        @Override
        public void pause() {
            // it does so by itself
        }

        @Override
        public void ended() {
            ended.countDown();
        }

        @Override
        public void failed() {
            ended.countDown();
        }

        @Override
        public boolean write() {
            writes.incrementAndGet();
            return more;
        }

        @Override
        public boolean unblocked() {
            return !blocked;
        }
    }

    private void assertOthersAreServed(Busy busy, Turns turns, StreamConnection first) throws Exception {
        await().until(() -> busy.writes.get() > 100);
        try (RawConnection other = RawConnection.open(port)) {
            StreamConnection second = next();
            second.getIoThread().execute(() -> {
                second.getSourceChannel().setReadListener(channel -> IoUtils.safeClose(second));
                second.getSourceChannel().resumeReads();
            });
            other.send("x");
            assertThat(other.end()).as("the thread looks at its other sockets").isIn("end", "reset");
        } finally {
            busy.more = false;
            busy.leaves = false;
            first.getIoThread().execute(() -> {
                turns.stop();
                IoUtils.safeClose(first);
            });
        }
    }

    @Test
    void turnThatHasMoreToWriteLetsOthersBeServed() throws Exception {
        Busy busy = new Busy();
        busy.more = true;
        try (RawConnection client = RawConnection.open(port)) {
            StreamConnection first = next();
            Turns turns = new Turns(first, busy);
            first.getIoThread().execute(() -> {
                turns.start(null);
                turns.touch();
            });
            assertOthersAreServed(busy, turns, first);
            client.end();
        }
    }

    @Test
    void turnThatLeavesSomeOfItsBytesLetsOthersBeServed() throws Exception {
        Busy busy = new Busy();
        busy.leaves = true;
        try (RawConnection client = RawConnection.open(port)) {
            StreamConnection first = next();
            Turns turns = new Turns(first, busy);
            client.send("x");
            first.getIoThread().execute(() -> turns.start(null));
            assertOthersAreServed(busy, turns, first);
            client.end();
        }
    }

    @Test
    void bytesThatWereLeftAreTakenAlthoughTheSocketBlocksMeanwhile() throws Exception {
        Busy busy = new Busy();
        busy.leaves = true;
        busy.blocked = true;
        try (RawConnection client = RawConnection.open(port)) {
            StreamConnection first = next();
            Turns turns = new Turns(first, busy);
            CountDownLatch started = new CountDownLatch(1);
            first.getIoThread().execute(() -> {
                turns.start(new ImmediatePooledByteBuffer(ByteBuffer.wrap(new byte[1])));
                busy.leaves = false;
                turns.awaitSocket(true);
                started.countDown();
            });
            assertThat(started.await(30, TimeUnit.SECONDS)).isTrue();
            await().until(() -> busy.taken.get() > 0);
            first.getIoThread().execute(() -> {
                turns.stop();
                IoUtils.safeClose(first);
            });
            client.end();
        }
    }

    @Test
    void tasksThatMakeOthersLetOthersBeServed() throws Exception {
        Busy busy = new Busy();
        try (RawConnection client = RawConnection.open(port)) {
            StreamConnection first = next();
            Turns turns = new Turns(first, busy);
            busy.more = true;
            Runnable again = new Runnable() {
                @Override
                public void run() {
                    busy.writes.incrementAndGet();
                    if (busy.more) {
                        turns.later(this);
                    }
                }
            };
            first.getIoThread().execute(() -> {
                turns.start(null);
                turns.later(again);
            });
            assertOthersAreServed(busy, turns, first);
            client.end();
        }
    }

    @Test
    void tasksOfAStoppedConnectionRunAllTheSame() throws Exception {
        Busy busy = new Busy();
        CountDownLatch ran = new CountDownLatch(1);
        try (RawConnection client = RawConnection.open(port)) {
            StreamConnection first = next();
            Turns turns = new Turns(first, busy);
            first.getIoThread().execute(() -> {
                turns.start(null);
                turns.stop();
                turns.later(ran::countDown);
                IoUtils.safeClose(first);
            });
            assertThat(ran.await(30, TimeUnit.SECONDS)).isTrue();
            client.end();
        }
    }
}
