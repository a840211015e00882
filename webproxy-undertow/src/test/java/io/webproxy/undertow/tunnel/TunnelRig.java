package io.webproxy.undertow.tunnel;

import static org.awaitility.Awaitility.await;

import io.undertow.connector.ByteBufferPool;
import io.undertow.server.DefaultByteBufferPool;
import io.webproxy.observe.RelayRecord;
import io.webproxy.spi.TlsProvider;
import io.webproxy.spi.TunnelKey;
import io.webproxy.testing.Told;
import io.webproxy.tunnel.Tunnel;
import io.webproxy.tunnel.TunnelServer;
import io.webproxy.tunnel.TunnelStatus;
import io.webproxy.undertow.deadline.DescriptorRoom;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import io.webproxy.undertow.endpoint.Acceptor;
import io.webproxy.undertow.endpoint.ClientConnection;
import io.webproxy.undertow.endpoint.ListeningSocket;
import io.webproxy.undertow.endpoint.OpenConnections;
import io.webproxy.undertow.observe.Recorder;
import io.webproxy.undertow.upstream.ProxyHeaderWriter;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

/** A public side on a port of its own, and private sides, on two IO threads of one worker. */
final class TunnelRig implements AutoCloseable {
    private final XnioWorker worker;
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Map<XnioIoThread, Sweeper> sweepers = new ConcurrentHashMap<>();
    private final Map<XnioIoThread, Sweeper> sweepersOfPrivates = new ConcurrentHashMap<>();
    private final List<XnioIoThread> threads = new ArrayList<>();
    private final ByteBufferPool buffers = new DefaultByteBufferPool(true, 17 * 1024, -1, 4);
    private final OpenConnections open = new OpenConnections(DescriptorRoom.unlimited(), System::nanoTime);
    private final TlsProvider provider;
    private final AtomicLong ahead = new AtomicLong();
    private final AtomicLong aheadOfPrivates = new AtomicLong();
    private volatile @Nullable Long stopped;
    final BlockingQueue<Told> events = new LinkedBlockingQueue<>();
    final LiveRelays live = new LiveRelays();
    final BlockingQueue<RelayRecord> records = new LinkedBlockingQueue<>();
    private final Recorder recorder = new Recorder(
            List.of(Told.to(told -> {
                if (told.event() instanceof RelayRecord relay) {
                    records.add(relay);
                } else {
                    events.add(told);
                }
            })),
            null);
    private final List<PrivateSide> privates = new ArrayList<>();
    private final Map<Integer, ListeningSocket> ports = new ConcurrentHashMap<>();
    private final Path directory;
    private final ListeningSocket server;
    final PublicSide side;
    final Path agentsFile;

    TunnelRig(Path directory, TlsProvider provider, String... agents) throws IOException {
        this.directory = directory;
        this.provider = provider;
        this.worker = Xnio.getInstance()
                .createWorker(
                        null,
                        OptionMap.builder()
                                .set(Options.WORKER_NAME, "rig")
                                .set(Options.WORKER_IO_THREADS, 2)
                                .set(Options.WORKER_TASK_CORE_THREADS, 2)
                                .set(Options.WORKER_TASK_MAX_THREADS, 2)
                                .set(Options.THREAD_DAEMON, true)
                                .getMap(),
                        ended::countDown);
        for (int i = 0; i < 2; i++) {
            XnioIoThread thread = worker.getIoThread(i);
            threads.add(thread);
            sweepers.put(thread, new Sweeper(thread, () -> now() + ahead.get()));
            sweepersOfPrivates.put(thread, new Sweeper(thread, () -> now() + aheadOfPrivates.get()));
        }
        this.agentsFile = directory.resolve("agents");
        writeAgents(agents);
        this.side = new PublicSide(
                TunnelServer.agents(agentsFile).identity(directory.resolve("public")),
                new PublicSide.Environment(
                        sweepers::get,
                        worker,
                        buffers,
                        buffers,
                        new PublicSide.Ports() {
                            @Override
                            public void open(int port) {
                                openPort(port);
                            }

                            @Override
                            public void close(int port) {
                                IoUtils.safeClose(ports.remove(port));
                            }

                            @Override
                            public void closeAll() {
                                ports.values().forEach(IoUtils::safeClose);
                            }
                        },
                        new PublicState(),
                        name -> name.toString().equals("taken.example.com"),
                        live,
                        recorder,
                        provider));
        this.server = listen(
                0,
                admitted -> new FirstFrame(
                                new Accepted(admitted),
                                side,
                                sweepers.get(admitted.connection().getIoThread()),
                                buffers)
                        .start());
    }

    private ListeningSocket listen(int port, Consumer<ClientConnection> first) throws IOException {
        ListeningSocket listening = new Acceptor(open, first)
                .listen(
                        worker,
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                        OptionMap.builder()
                                .set(Options.TCP_NODELAY, true)
                                .set(Options.REUSE_ADDRESSES, true)
                                .set(Options.BACKLOG, 1024)
                                .getMap());
        listening.resume();
        return listening;
    }

    private void openPort(int port) {
        try {
            ports.put(port, listen(port, admitted -> side.port(new Accepted(admitted), port)));
        } catch (IOException e) {
            throw new io.webproxy.ProxyStartException(String.valueOf(e.getMessage()), e);
        }
    }

    private record Accepted(ClientConnection admitted) implements Incoming {
        @Override
        public StreamConnection connection() {
            return admitted.connection();
        }

        @Override
        public InetSocketAddress client() {
            return admitted.client();
        }

        @Override
        public void settled() {
            admitted.settled();
        }

        @Override
        public void onLeave(Runnable listener) {
            admitted.onLeave(listener);
        }
    }

    /** Lines without the fingerprint: a name and what is allowed; the key is made. */
    void writeAgents(String... agents) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (String agent : agents) {
            String name = agent.substring(0, agent.indexOf(' '));
            lines.append(name)
                    .append(' ')
                    .append(TunnelKey.obtain(directory, name).fingerprint())
                    .append(agent.substring(agent.indexOf(' ')))
                    .append('\n');
        }
        Files.writeString(agentsFile, lines);
    }

    private long now() {
        Long since = stopped;
        return since == null ? System.nanoTime() : since;
    }

    /** Time goes on by {@link #pass} alone from now on. */
    void stopClock() {
        stopped = System.nanoTime();
    }

    /** Deadlines are so much nearer from now on. */
    void pass(Duration time) {
        passAtThePublicSide(time);
        aheadOfPrivates.addAndGet(time.toNanos());
    }

    /** The same, but not those of the private sides. */
    void passAtThePublicSide(Duration time) {
        ahead.addAndGet(time.toNanos());
    }

    /** Waits until everything that is watched has been looked at several times. */
    void awaitSweeps() throws InterruptedException {
        CountDownLatch looked = new CountDownLatch(2 * threads.size());
        sweepers.forEach((thread, sweeper) -> awaitSweeps(thread, sweeper, looked));
        sweepersOfPrivates.forEach((thread, sweeper) -> awaitSweeps(thread, sweeper, looked));
        if (!looked.await(30, TimeUnit.SECONDS)) {
            throw new AssertionError("no sweeps within 30 s");
        }
    }

    private static void awaitSweeps(XnioIoThread thread, Sweeper sweeper, CountDownLatch looked) {
        IoTasks.execute(
                thread,
                () -> sweeper.watch(new Watched() {
                    private int left = 4;

                    @Override
                    protected long deadline() {
                        return Long.MAX_VALUE;
                    }

                    @Override
                    protected void expired(long now) {}

                    @Override
                    protected void seen(long now) {
                        if (--left == 0) {
                            cut();
                        }
                    }

                    @Override
                    protected void cut() {
                        sweeper.forget(this);
                        looked.countDown();
                    }
                }));
    }

    /** The record of the next relay that has ended, of either side. */
    RelayRecord record() throws InterruptedException {
        return Objects.requireNonNull(records.poll(30, TimeUnit.SECONDS), "no record within 30 s");
    }

    int port() {
        return server.address().getPort();
    }

    Tunnel tunnel(String agent) {
        return Tunnel.to("127.0.0.1:" + port())
                .identity(directory.resolve(agent))
                .server(side.fingerprint());
    }

    /** Starts a private side. */
    PrivateSide start(Tunnel tunnel) {
        PrivateSide started = new PrivateSide(
                tunnel,
                new PrivateSide.Environment(
                        threads,
                        sweepersOfPrivates::get,
                        worker,
                        buffers,
                        buffers,
                        DescriptorRoom.unlimited(),
                        ProxyHeaderWriter::proxied,
                        (connection, client) -> IoUtils.safeClose(connection),
                        live,
                        recorder,
                        provider));
        privates.add(started);
        started.start();
        return started;
    }

    /** Starts a private side, and waits until everything that it announces is decided. */
    PrivateSide connected(Tunnel tunnel) {
        PrivateSide started = start(tunnel);
        await().atMost(30, TimeUnit.SECONDS)
                .pollDelay(0, TimeUnit.MILLISECONDS)
                .pollInterval(5, TimeUnit.MILLISECONDS)
                .until(() -> started.status().stream().allMatch(TunnelStatus.Server::connected));
        return started;
    }

    @Override
    public void close() throws InterruptedException {
        privates.forEach(side -> side.leave(false));
        side.leave(null);
        live.cutAll();
        IoUtils.safeClose(server);
        ports.values().forEach(IoUtils::safeClose);
        IoTasks.settle(threads);
        sweepers.forEach((thread, sweeper) -> IoTasks.execute(thread, sweeper::cutAll));
        sweepersOfPrivates.forEach((thread, sweeper) -> IoTasks.execute(thread, sweeper::cutAll));
        open.closeAll();
        IoTasks.settle(threads);
        worker.shutdown();
        ended.await(30, TimeUnit.SECONDS);
    }
}
