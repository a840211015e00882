package io.webproxy.undertow.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.server.DefaultByteBufferPool;
import io.webproxy.http.HttpLimits;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.PoolLimits;
import io.webproxy.route.Upstream;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.deadline.DescriptorRooms;
import io.webproxy.undertow.deadline.MemoryRoom;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.observe.Recorder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.Xnio;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

/** Connections to upstreams where the process has few descriptors left: 256 of them, by a count that the test makes. */
@ExtendWith(LeakCheck.class)
@ExpectedLog(contains = "No file descriptors to spare")
class NoDescriptorsTest {
    private static final PoolSettings POOL = new PoolSettings(PoolLimits.defaults(), OutlierEjection.defaults());

    private final AtomicLong open = new AtomicLong();
    private final XnioWorker worker = worker();
    private final XnioIoThread thread = worker.getIoThread(0);

    private static XnioWorker worker() {
        try {
            return Xnio.getInstance()
                    .createWorker(OptionMap.builder()
                            .set(Options.WORKER_IO_THREADS, 1)
                            .set(Options.THREAD_DAEMON, true)
                            .getMap());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @AfterEach
    void stop() throws Exception {
        worker.shutdown();
        assertThat(worker.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
    }

    private Upstreams upstreams(Upstream... wanted) {
        Exchanges exchanges = new Exchanges(
                List.of(thread),
                System::nanoTime,
                new Recorder(List.of(), null),
                DescriptorRooms.of(256, open::get),
                MemoryRoom.unlimited());
        DefaultByteBufferPool buffers = new DefaultByteBufferPool(true, 8192);
        Upstreams upstreams =
                new Upstreams(Xnio.getInstance(), List.of(thread), exchanges, buffers, buffers, TlsProvider.JDK);
        upstreams.update(upstreams.prepare(Set.of(wanted)), HttpLimits.defaults(), POOL, Map.of());
        return upstreams;
    }

    /** What a taker is given: a connection, or the error. */
    private CompletableFuture<Object> take(UpstreamPool pool) {
        CompletableFuture<Object> given = new CompletableFuture<>();
        thread.execute(() -> pool.take(thread, false, false, Duration.ofSeconds(5), new UpstreamPool.Taker() {
            @Override
            public void connected(UpstreamStream connection) {
                given.complete(connection);
            }

            @Override
            public void failed(ForwardError error, String detail) {
                given.complete(error);
            }

            @Override
            public boolean isWanted() {
                return true;
            }
        }));
        return given;
    }

    private void onThread(Runnable task) throws Exception {
        CompletableFuture<Void> done = CompletableFuture.runAsync(task, thread::execute);
        done.get(30, TimeUnit.SECONDS);
    }

    @Test
    void firstConnectionsComeOutOfTheReserveAndMoreAreRefusedAtOnce() throws Exception {
        try (RawUpstream server = RawUpstream.answering("");
                Upstreams upstreams = upstreams(Upstream.of(server.uri()))) {
            UpstreamPool pool = upstreams.pool(Upstream.of(server.uri()));
            open.set(200);
            int connected = 0;
            Object last = take(pool).get(30, TimeUnit.SECONDS);
            while (last instanceof UpstreamStream connection) {
                connected++;
                last = take(pool).get(30, TimeUnit.SECONDS);
            }
            assertThat(last).isEqualTo(ForwardError.POOL_EXHAUSTED);
            // half of the reserve of 48
            assertThat(connected).isEqualTo(24);
            assertThat(pool.open()).isEqualTo(24);
            assertThat(pool.health().isEjected())
                    .as("it is no fault of the upstream")
                    .isFalse();
        }
    }

    @Test
    void idleConnectionToAnotherUpstreamMakesRoom() throws Exception {
        try (RawUpstream one = RawUpstream.answering("");
                RawUpstream two = RawUpstream.answering("");
                Upstreams upstreams = upstreams(Upstream.of(one.uri()), Upstream.of(two.uri()))) {
            UpstreamPool first = upstreams.pool(Upstream.of(one.uri()));
            UpstreamPool second = upstreams.pool(Upstream.of(two.uri()));
            open.set(200);
            Object idle = null;
            for (int i = 0; i < 24; i++) {
                idle = take(first).get(30, TimeUnit.SECONDS);
            }
            assertThat(take(second).get(30, TimeUnit.SECONDS)).isEqualTo(ForwardError.POOL_EXHAUSTED);
            UpstreamConnection released = (UpstreamConnection) idle;
            onThread(() -> first.lane(thread).release(released));
            assertThat(take(second).get(30, TimeUnit.SECONDS)).isInstanceOf(UpstreamStream.class);
            assertThat(first.open()).isEqualTo(23);
        }
    }
}
