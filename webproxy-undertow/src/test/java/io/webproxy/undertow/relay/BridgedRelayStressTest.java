package io.webproxy.undertow.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.DefaultByteBufferPool;
import io.webproxy.testing.LeakCheck;
import io.webproxy.undertow.deadline.BulkBuffers;
import io.webproxy.undertow.deadline.IoTasks;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioWorker;

/**
 * Relays over two IO threads whose ends stall at random moments, close in any order, are reset, or are cut from a third
 * thread.
 */
@ExtendWith(LeakCheck.class)
class BridgedRelayStressTest {
    private static final int LIMIT_MILLIS = 30_000;
    private static final int AT_ONCE = 8;

    private final AtomicInteger outstanding = new AtomicInteger();
    private final ByteBufferPool buffers = new Counting(new DefaultByteBufferPool(true, 4 * 1024, -1, 4));
    private final BulkBuffers bulkBuffers = new BulkBuffers();
    private final CountDownLatch terminated = new CountDownLatch(1);
    private final ExecutorService executor = Executors.newCachedThreadPool();
    private XnioWorker worker;
    private ServerSocket server;

    @BeforeEach
    void start() throws IOException {
        worker = Xnio.getInstance()
                .createWorker(
                        null,
                        OptionMap.builder()
                                .set(Options.WORKER_NAME, "stress")
                                .set(Options.WORKER_IO_THREADS, 2)
                                .set(Options.THREAD_DAEMON, true)
                                .getMap(),
                        terminated::countDown);
        server = new ServerSocket();
        server.setReceiveBufferSize(8 * 1024);
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 64);
    }

    @AfterEach
    void close() throws Exception {
        executor.shutdownNow();
        server.close();
        worker.shutdown();
        assertThat(terminated.await(30, TimeUnit.SECONDS)).isTrue();
        buffers.close();
    }

    /** A side of a relay: the socket that the test holds, and the connection that the relay has. */
    private record Side(Socket socket, StreamConnection connection) {}

    private synchronized Side side(int thread, boolean small) throws IOException {
        var options = OptionMap.builder().set(Options.TCP_NODELAY, true);
        if (small) {
            options.set(Options.SEND_BUFFER, 8 * 1024).set(Options.RECEIVE_BUFFER, 8 * 1024);
        }
        StreamConnection connection = worker.getIoThread(thread)
                .openStreamConnection((InetSocketAddress) server.getLocalSocketAddress(), null, null, options.getMap())
                .get();
        Socket socket = server.accept();
        socket.setSoTimeout(LIMIT_MILLIS);
        if (small) {
            socket.setSendBufferSize(8 * 1024);
        }
        return new Side(socket, connection);
    }

    private static void stall(SplittableRandom random) {
        if (random.nextInt(40) == 0) {
            LockSupport.parkNanos(random.nextInt(3_000_000));
        }
    }

    /** Sends random bytes, and closes this direction; returns their checksum. */
    private static long send(Socket socket, int bytes, SplittableRandom random) throws IOException {
        CRC32 sum = new CRC32();
        byte[] chunk = new byte[64 * 1024];
        for (int left = bytes; left > 0; ) {
            int count = Math.min(left, 1 + random.nextInt(random.nextBoolean() ? 200 : chunk.length));
            for (int i = 0; i < count; i += 1 + random.nextInt(97)) {
                chunk[i] = (byte) random.nextInt();
            }
            sum.update(chunk, 0, count);
            socket.getOutputStream().write(chunk, 0, count);
            left -= count;
            stall(random);
        }
        socket.shutdownOutput();
        return sum.getValue();
    }

    /** Reads to the end of the stream; returns the checksum. */
    private static long receive(Socket socket, SplittableRandom random) throws IOException {
        CRC32 sum = new CRC32();
        byte[] chunk = new byte[64 * 1024];
        while (true) {
            int read = socket.getInputStream().read(chunk, 0, 1 + random.nextInt(chunk.length));
            if (read < 0) {
                return sum.getValue();
            }
            sum.update(chunk, 0, read);
            stall(random);
        }
    }

    private static int length(SplittableRandom random) {
        return switch (random.nextInt(4)) {
            case 0 -> 0;
            case 1 -> random.nextInt(3_000);
            case 2 -> random.nextInt(100_000);
            default -> random.nextInt(1_500_000);
        };
    }

    /** One relay that ends by itself. */
    private void whole(long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        Side left = side(random.nextInt(2), random.nextBoolean());
        Side right = side(random.nextInt(2), random.nextBoolean());
        CountDownLatch ended = new CountDownLatch(1);
        AtomicInteger ends = new AtomicInteger();
        AtomicInteger clean = new AtomicInteger();
        BridgedRelay relay = new BridgedRelay(left.connection, right.connection, buffers, bulkBuffers, how -> {
            ends.incrementAndGet();
            clean.addAndGet(how == ByteRelay.Ending.CLEAN ? 1 : 0);
            ended.countDown();
        });
        IoTasks.execute(left.connection.getIoThread(), () -> relay.start(null, null));
        int toRight = length(random);
        int toLeft = length(random);
        SplittableRandom[] seeds = {random.split(), random.split(), random.split(), random.split()};
        try (left.socket;
                right.socket) {
            Future<Long> sentRight = executor.submit(() -> send(left.socket, toRight, seeds[0]));
            Future<Long> sentLeft = executor.submit(() -> send(right.socket, toLeft, seeds[1]));
            Future<Long> gotRight = executor.submit(() -> receive(right.socket, seeds[2]));
            Future<Long> gotLeft = executor.submit(() -> receive(left.socket, seeds[3]));
            assertThat(gotRight.get(LIMIT_MILLIS, TimeUnit.MILLISECONDS))
                    .as("to the right, seed %d", seed)
                    .isEqualTo(sentRight.get());
            assertThat(gotLeft.get(LIMIT_MILLIS, TimeUnit.MILLISECONDS))
                    .as("to the left, seed %d", seed)
                    .isEqualTo(sentLeft.get());
            assertThat(ended.await(LIMIT_MILLIS, TimeUnit.MILLISECONDS))
                    .as("ended, seed %d", seed)
                    .isTrue();
            assertThat(clean).as("clean, seed %d", seed).hasValue(1);
            assertThat(ends).as("ended once, seed %d", seed).hasValue(1);
            assertThat(relay.toRight()).isEqualTo(toRight);
            assertThat(relay.toLeft()).isEqualTo(toLeft);
        }
    }

    /** One relay that is cut, by a side or by the server. */
    private void cut(long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        Side left = side(random.nextInt(2), true);
        Side right = side(random.nextInt(2), true);
        CountDownLatch ended = new CountDownLatch(1);
        AtomicInteger ends = new AtomicInteger();
        BridgedRelay relay = new BridgedRelay(left.connection, right.connection, buffers, bulkBuffers, how -> {
            ends.incrementAndGet();
            ended.countDown();
        });
        IoTasks.execute(left.connection.getIoThread(), () -> relay.start(null, null));
        SplittableRandom[] seeds = {random.split(), random.split(), random.split(), random.split()};
        boolean bySide = random.nextBoolean();
        int pause = random.nextInt(4_000_000);
        try (left.socket;
                right.socket) {
            List<Future<Long>> all = new ArrayList<>();
            all.add(executor.submit(() -> send(left.socket, 20_000_000, seeds[0])));
            all.add(executor.submit(() -> send(right.socket, 20_000_000, seeds[1])));
            all.add(executor.submit(() -> receive(right.socket, seeds[2])));
            // this direction gets stuck: nobody reads on the left
            LockSupport.parkNanos(pause);
            if (bySide) {
                reset(right.socket);
            } else {
                relay.abort();
            }
            assertThat(ended.await(LIMIT_MILLIS, TimeUnit.MILLISECONDS))
                    .as("ended, seed %d", seed)
                    .isTrue();
            for (Future<Long> each : all) {
                try {
                    each.get(LIMIT_MILLIS, TimeUnit.MILLISECONDS);
                } catch (java.util.concurrent.ExecutionException e) {
                    assertThat(e.getCause()).as("seed %d", seed).isInstanceOf(IOException.class);
                    assertThat(e.getCause())
                            .as("in time, seed %d", seed)
                            .isNotInstanceOf(java.net.SocketTimeoutException.class);
                }
            }
            assertThat(ends).as("ended once, seed %d", seed).hasValue(1);
        }
    }

    private static void reset(Socket socket) throws IOException {
        try {
            socket.setSoLinger(true, 0);
        } catch (SocketException e) {
            // closed already
        }
        socket.close();
    }

    private interface Round {
        void run(long seed) throws Exception;
    }

    private void many(int rounds, long seed, Round round) throws Exception {
        ExecutorService runners = Executors.newFixedThreadPool(AT_ONCE);
        try {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < rounds; i++) {
                long own = seed * 1_000 + i;
                all.add(runners.submit(() -> {
                    round.run(own);
                    return null;
                }));
            }
            for (Future<?> each : all) {
                each.get(4 * LIMIT_MILLIS, TimeUnit.MILLISECONDS);
            }
        } finally {
            runners.shutdownNow();
        }
        // buffers go back on their own threads
        await().atMost(Duration.ofSeconds(30)).until(() -> outstanding.get() == 0);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void everythingArrivesHoweverBothSidesStall(long seed) throws Exception {
        many(Integer.getInteger("relay.rounds", 60), seed, this::whole);
    }

    @ParameterizedTest
    @ValueSource(longs = {3})
    void cutRelayEndsOnceAndKeepsNoBuffer(long seed) throws Exception {
        many(Integer.getInteger("relay.rounds", 60), seed, this::cut);
    }

    /** Counts what is out. */
    private final class Counting implements ByteBufferPool {
        private final ByteBufferPool inner;

        Counting(ByteBufferPool inner) {
            this.inner = inner;
        }

        @Override
        public PooledByteBuffer allocate() {
            outstanding.incrementAndGet();
            PooledByteBuffer taken = inner.allocate();
            return new PooledByteBuffer() {
                @Override
                public java.nio.ByteBuffer getBuffer() {
                    return taken.getBuffer();
                }

                @Override
                public void close() {
                    if (taken.isOpen()) {
                        outstanding.decrementAndGet();
                    }
                    taken.close();
                }

                @Override
                public boolean isOpen() {
                    return taken.isOpen();
                }
            };
        }

        @Override
        public ByteBufferPool getArrayBackedPool() {
            return inner.getArrayBackedPool();
        }

        @Override
        public void close() {
            inner.close();
        }

        @Override
        public int getBufferSize() {
            return inner.getBufferSize();
        }

        @Override
        public boolean isDirect() {
            return inner.isDirect();
        }
    }
}
