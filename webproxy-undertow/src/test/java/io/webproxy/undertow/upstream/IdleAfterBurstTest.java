package io.webproxy.undertow.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.undertow.server.DefaultByteBufferPool;
import io.webproxy.http.HttpLimits;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.PoolLimits;
import io.webproxy.route.Upstream;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.deadline.DescriptorRoom;
import io.webproxy.undertow.deadline.DescriptorRooms;
import io.webproxy.undertow.deadline.MemoryRoom;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.observe.Recorder;
import io.webproxy.undertow.testing.OneIoThread;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.Xnio;
import org.xnio.XnioIoThread;

/**
 * What a burst of requests needed stays open for the next one, and goes when it isn't needed any more or others need
 * the descriptors.
 */
@ExtendWith(LeakCheck.class)
class IdleAfterBurstTest {
    private static final int ALWAYS = 2;
    private static final int BURST = 7;

    private final AtomicLong clock = new AtomicLong(1);
    private final AtomicLong descriptors = new AtomicLong(10);
    private final DescriptorRoom room = DescriptorRooms.of(1024, descriptors::get, clock::get);
    private OneIoThread io;
    private XnioIoThread thread;
    private RawUpstream server;
    private Upstreams upstreams;
    private UpstreamPool pool;

    @BeforeEach
    void start() throws Exception {
        io = OneIoThread.start();
        thread = io.thread();
        server = RawUpstream.answering("");
        Exchanges exchanges =
                new Exchanges(List.of(thread), clock::get, new Recorder(List.of(), null), room, MemoryRoom.unlimited());
        DefaultByteBufferPool buffers = new DefaultByteBufferPool(true, 8192);
        upstreams = new Upstreams(Xnio.getInstance(), List.of(thread), exchanges, buffers, buffers, TlsProvider.JDK);
        idle(ALWAYS, Duration.ofMinutes(1));
        pool = upstreams.pool(Upstream.of(server.uri()));
    }

    @AfterEach
    void stop() throws Exception {
        upstreams.close();
        io.call(() -> null);
        server.close();
        io.close();
    }

    private void idle(int perThread, Duration time) {
        upstreams.update(
                upstreams.prepare(Set.of(Upstream.of(server.uri()))),
                HttpLimits.defaults(),
                new PoolSettings(PoolLimits.defaults().withIdle(perThread, time), OutlierEjection.defaults()),
                Map.of());
    }

    private Lane lane() {
        return pool.lane(thread);
    }

    private void advance(Duration time) {
        clock.addAndGet(time.toNanos());
    }

    private UpstreamConnection take() throws Exception {
        CompletableFuture<UpstreamConnection> given = new CompletableFuture<>();
        thread.execute(() -> pool.take(thread, false, false, Duration.ofHours(1), new UpstreamPool.Taker() {
            @Override
            public void connected(UpstreamStream stream) {
                given.complete((UpstreamConnection) stream);
            }

            @Override
            public void failed(ForwardError error, String detail) {
                given.completeExceptionally(new AssertionError(detail));
            }

            @Override
            public boolean isWanted() {
                return true;
            }
        }));
        return given.get(30, TimeUnit.SECONDS);
    }

    /** So many exchanges at once. */
    private void burst(int count) throws Exception {
        List<UpstreamConnection> taken = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            taken.add(take());
        }
        io.call(() -> {
            taken.forEach(lane()::release);
            return null;
        });
    }

    @Test
    void nextBurstFindsAllConnectionsOpen() throws Exception {
        burst(BURST);
        assertThat(pool.idle()).isEqualTo(BURST);
        burst(BURST);
        assertThat(pool.open()).isEqualTo(BURST);
        await().until(() -> server.connections() == BURST);
    }

    @Test
    void whatNoRequestNeededForTenSecondsIsClosed() throws Exception {
        burst(BURST);
        for (int i = 0; i < 9; i++) {
            advance(Duration.ofSeconds(1));
            burst(4);
        }
        assertThat(io.call(lane()::deadline)).isGreaterThan(clock.get());
        assertThat(pool.idle()).isEqualTo(BURST);
        advance(Duration.ofSeconds(1));
        await().until(() -> pool.idle() == 4);
        advance(Duration.ofSeconds(10));
        await().until(() -> pool.idle() == ALWAYS);
    }

    @Test
    void thoseThatAreAlwaysKeptStayForTheIdleTime() throws Exception {
        burst(BURST);
        advance(Duration.ofSeconds(59));
        await().until(() -> pool.idle() == ALWAYS);
        assertThat(io.call(lane()::deadline)).isGreaterThan(clock.get());
        advance(Duration.ofSeconds(1));
        await().until(() -> pool.open() == 0);
    }

    @Test
    void shorterIdleTimeHoldsForABurstToo() throws Exception {
        idle(ALWAYS, Duration.ofSeconds(4));
        burst(BURST);
        assertThat(io.call(lane()::deadline))
                .isEqualTo(clock.get() + Duration.ofSeconds(4).toNanos());
        advance(Duration.ofSeconds(4));
        await().until(() -> pool.open() == 0);
    }

    @Test
    void zeroKeepsNone() throws Exception {
        idle(0, Duration.ofMinutes(1));
        burst(BURST);
        assertThat(pool.open()).isZero();
    }

    @Test
    void noMoreThanWhatIsAlwaysKeptStaysWhenDescriptorsRunShort() throws Exception {
        descriptors.set(1024 - 3 * 128 + 1);
        burst(BURST);
        assertThat(pool.idle()).isEqualTo(ALWAYS);
    }

    @Test
    void whatABurstNeededGoesWhenOthersTakeTheDescriptors() throws Exception {
        burst(BURST);
        assertThat(pool.idle()).isEqualTo(BURST);
        io.call(() -> {
            // clients come
            for (int i = 0; i < 250; i++) {
                assertThat(room.takeClient()).isTrue();
            }
            descriptors.set(900);
            advance(Duration.ofMillis(20));
            return null;
        });
        await().until(() -> pool.idle() == ALWAYS);
    }

    @Test
    void closedConnectionsAreForgottenWhereverTheyStand() throws Exception {
        burst(BURST);
        UpstreamConnection last = take();
        io.call(() -> {
            lane().release(last);
            last.close();
            return null;
        });
        assertThat(pool.idle()).isEqualTo(BURST - 1);
        assertThat(pool.open()).isEqualTo(BURST - 1);
    }
}
