package io.webproxy.undertow.http2;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.server.DefaultByteBufferPool;
import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.deadline.SocketReads;
import io.webproxy.undertow.deadline.Watched;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.observe.Recorder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;
import org.xnio.conduits.AbstractStreamSinkConduit;
import org.xnio.conduits.AbstractStreamSourceConduit;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;
import org.xnio.conduits.WriteReadyHandler;

/** A connection to an upstream, driven as an exchange would, and what is heard of it. */
final class Outbound implements AutoCloseable, OutboundConnection.Owner {
    static final int MOST_STREAMS = 100;

    final AtomicLong clock = new AtomicLong(1);
    final BlockingQueue<String> owner = new LinkedBlockingQueue<>();
    private final XnioWorker worker;
    private final XnioIoThread thread;
    private final OutboundConnection connection;
    /** What can still be read when nothing can be written any more. */
    private @Nullable ByteBuffer lastBytes;

    private Outbound(int port, HttpLimits heads) throws Exception {
        worker = Xnio.getInstance()
                .createWorker(OptionMap.create(Options.WORKER_IO_THREADS, 1, Options.THREAD_DAEMON, true));
        thread = worker.getIoThread(0);
        Exchanges exchanges = new Exchanges(List.of(thread), clock::get, new Recorder(List.of(), null));
        StreamConnection socket = worker.openStreamConnection(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                        null,
                        OptionMap.create(Options.SEND_BUFFER, 64 * 1024))
                .get();
        connection = onThread(() -> {
            socket.getSinkChannel()
                    .setConduit(
                            new AbstractStreamSinkConduit<>(
                                    socket.getSinkChannel().getConduit()) {
                                @Override
                                public int write(ByteBuffer bytes) throws IOException {
                                    if (lastBytes != null) {
                                        throw new IOException("Broken pipe");
                                    }
                                    return next.write(bytes);
                                }
                            });
            socket.getSourceChannel()
                    .setConduit(
                            new AbstractStreamSourceConduit<>(
                                    socket.getSourceChannel().getConduit()) {
                                @Override
                                public int read(ByteBuffer bytes) throws IOException {
                                    if (lastBytes == null) {
                                        return next.read(bytes);
                                    }
                                    int count = lastBytes.remaining();
                                    bytes.put(lastBytes);
                                    return count == 0 ? -1 : count;
                                }
                            });
            OutboundConnection made = new OutboundConnection(
                    socket,
                    SocketReads.of(socket),
                    new DefaultByteBufferPool(true, 16 * 1024 + 64),
                    exchanges,
                    heads,
                    MOST_STREAMS,
                    this);
            made.start();
            return made;
        });
    }

    /** Connects to a port of the loopback address. */
    static Outbound to(int port) throws Exception {
        return new Outbound(port, HttpLimits.defaults());
    }

    static Outbound to(int port, HttpLimits heads) throws Exception {
        return new Outbound(port, heads);
    }

    <T> T onThread(Callable<T> task) throws Exception {
        CompletableFuture<T> done = new CompletableFuture<>();
        thread.execute(() -> {
            try {
                done.complete(task.call());
            } catch (Throwable e) {
                done.completeExceptionally(e);
            }
        });
        return done.get(30, TimeUnit.SECONDS);
    }

    /** Lets time go by, and what is due by then be done. */
    void advance(Duration time) throws Exception {
        clock.addAndGet(time.toNanos());
        CountDownLatch sweeps = new CountDownLatch(3);
        Watched counter = new Watched() {
            @Override
            protected long deadline() {
                return Long.MAX_VALUE;
            }

            @Override
            protected void expired(long now) {}

            @Override
            protected void seen(long now) {
                sweeps.countDown();
            }

            @Override
            protected void cut() {}
        };
        onThread(() -> {
            connection.sweeper().watch(counter);
            return null;
        });
        assertThat(sweeps.await(30, TimeUnit.SECONDS)).isTrue();
        onThread(() -> {
            connection.sweeper().forget(counter);
            return null;
        });
    }

    /** The upstream has gone, and nobody has noticed: writing fails, and reading gives what it has sent before. */
    void gone(byte[] sent) throws Exception {
        onThread(() -> {
            lastBytes = ByteBuffer.wrap(sent);
            return null;
        });
    }

    OutboundConnection connection() {
        return connection;
    }

    /** What the IO thread has used of a processor. */
    long cpuNanos() throws Exception {
        return onThread(() -> ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime());
    }

    int room() throws Exception {
        return onThread(connection::room);
    }

    /** The next thing that the owner hears, other than that there may be more room. */
    String event() throws InterruptedException {
        String event;
        do {
            event = owner.poll(30, TimeUnit.SECONDS);
        } while ("room".equals(event));
        return String.valueOf(event);
    }

    /** Waits for the upstream's settings. */
    Outbound settle() throws Exception {
        assertThat(event()).isEqualTo("settled");
        return this;
    }

    /** A GET, whose response is read as it comes. */
    Call get(String path) throws Exception {
        return send(block -> block.start("GET", "http", "a", path), true);
    }

    /** A request, whose response is read as it comes. */
    Call send(Consumer<RequestBlock> head, boolean end) throws Exception {
        return new Call(true).send(head, end);
    }

    /** A request, whose response isn't read before {@link Call#read}. */
    Call sendUnread(Consumer<RequestBlock> head) throws Exception {
        return new Call(false).send(head, true);
    }

    /** A request for a tunnel, whose response isn't read. */
    Call tunnel() throws Exception {
        return new Call(false).send(block -> block.startWebSocket("http", "a", "/chat"), false);
    }

    static Consumer<RequestBlock> post(String... fields) {
        return block -> {
            block.start("POST", "http", "a", "/");
            for (int i = 0; i < fields.length; i += 2) {
                block.field(new HttpString(fields[i]), fields[i + 1]);
            }
        };
    }

    @Override
    public void settled() {
        owner.add("settled");
    }

    @Override
    public void roomChanged() {
        owner.add("room");
    }

    @Override
    public void leaving() {
        owner.add("leaving");
    }

    @Override
    public void closed() {
        owner.add("closed");
    }

    @Override
    public void close() throws Exception {
        onThread(() -> {
            connection.close();
            return null;
        });
        worker.shutdown();
        assertThat(worker.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
    }

    /** One request, and what is heard of it. */
    final class Call implements OutboundStream.Listener {
        private final CompletableFuture<String> outcome = new CompletableFuture<>();
        private final CountDownLatch responded = new CountDownLatch(1);
        private final StringBuilder log = new StringBuilder();
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private boolean reading;
        private @Nullable OutboundStream stream;
        private long taken;

        Call(boolean reading) {
            this.reading = reading;
        }

        private Call send(Consumer<RequestBlock> head, boolean end) throws Exception {
            onThread(() -> {
                OutboundStream opened = connection.open(this);
                stream = opened;
                opened.send(head, end);
                StreamSourceConduit source = opened.response();
                source.setReadReadyHandler(new ReadReadyHandler() {
                    @Override
                    public void readReady() {
                        drain(source);
                    }

                    @Override
                    public void forceTermination() {}

                    @Override
                    public void terminated() {}
                });
                return null;
            });
            return this;
        }

        OutboundStream stream() {
            return Objects.requireNonNull(stream);
        }

        /** Starts to read the response. */
        void read() throws Exception {
            onThread(() -> {
                reading = true;
                stream().response().resumeReads();
                return null;
            });
        }

        private void drain(StreamSourceConduit source) {
            ByteBuffer buffer = ByteBuffer.allocate(10_000);
            try {
                while (reading) {
                    int read = source.read(buffer.clear());
                    if (read <= 0) {
                        if (read < 0) {
                            source.suspendReads();
                        }
                        return;
                    }
                    body.write(buffer.array(), 0, read);
                }
            } catch (IOException e) {
                log.append("broken ");
                source.suspendReads();
            }
        }

        /** Writes a body, all of it, and ends it; returns when it is in the output. */
        Call body(byte[] bytes, Supplier<@Nullable HeaderMap> trailers) throws Exception {
            write(bytes, trailers).get(30, TimeUnit.SECONDS);
            return this;
        }

        /** Starts to write a body, and ends it; the result comes when the output has it. */
        CompletableFuture<String> write(byte[] bytes, Supplier<@Nullable HeaderMap> trailers) throws Exception {
            CompletableFuture<String> written = new CompletableFuture<>();
            onThread(() -> {
                StreamSinkConduit sink = stream().body(trailers);
                ByteBuffer left = ByteBuffer.wrap(bytes);
                sink.setWriteReadyHandler(new WriteReadyHandler() {
                    @Override
                    public void writeReady() {
                        try {
                            while (left.hasRemaining()) {
                                if (sink.write(left) == 0) {
                                    sink.resumeWrites();
                                    return;
                                }
                            }
                            sink.terminateWrites();
                            if (!sink.flush()) {
                                sink.resumeWrites();
                                return;
                            }
                            sink.suspendWrites();
                            written.complete("written");
                        } catch (IOException e) {
                            written.completeExceptionally(e);
                        }
                    }

                    @Override
                    public void forceTermination() {}

                    @Override
                    public void terminated() {}
                });
                sink.wakeupWrites();
                return null;
            });
            return written;
        }

        void reset(int code) throws Exception {
            onThread(() -> {
                stream().reset(code);
                return null;
            });
        }

        /** All that was heard when the last was. */
        String await() throws Exception {
            return outcome.get(30, TimeUnit.SECONDS);
        }

        boolean isOver() {
            return outcome.isDone();
        }

        /** Waits for the head of the response. */
        Call head() throws InterruptedException {
            assertThat(responded.await(30, TimeUnit.SECONDS)).isTrue();
            return this;
        }

        byte[] bytes() {
            return body.toByteArray();
        }

        String text() {
            return body.toString(StandardCharsets.ISO_8859_1);
        }

        long taken() throws Exception {
            return onThread(() -> taken);
        }

        @Override
        public void bytesTaken(long bytes) {
            taken += bytes;
        }

        @Override
        public void requestWrong(String problem) {
            outcome.complete(log + "wrong: " + problem);
        }

        @Override
        public void interim(int status, HeaderMap fields) {
            log.append(status).append(' ');
        }

        @Override
        public void head(int status, HeaderMap fields, boolean end) {
            log.append(status).append(end ? " end " : " ");
            responded.countDown();
            if (reading) {
                stream().response().resumeReads();
            }
        }

        @Override
        public void bytes(long bytes) {
            // counted by what is read
        }

        @Override
        public void paused() {
            // no one is to be flushed
        }

        @Override
        public void ended(HeaderMap trailers) {
            log.append(trailers.size() == 0 ? "ended" : "ended " + trailers);
            outcome.complete(log.toString());
        }

        @Override
        public void failed(OutboundStream.Failure failure, String detail) {
            log.append(failure).append(": ").append(detail);
            outcome.complete(log.toString());
        }
    }
}
