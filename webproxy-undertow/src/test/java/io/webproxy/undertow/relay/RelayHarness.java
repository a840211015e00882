package io.webproxy.undertow.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.connector.ByteBufferPool;
import io.undertow.server.DefaultByteBufferPool;
import io.webproxy.ProxyStatus;
import io.webproxy.http.HttpLimits;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.observe.RelayRecord;
import io.webproxy.port.Relay;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.PoolLimits;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.RawConnection;
import io.webproxy.undertow.deadline.DescriptorRoom;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Lease;
import io.webproxy.undertow.deadline.MemoryRoom;
import io.webproxy.undertow.deadline.Sweeps;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.observe.Recorder;
import io.webproxy.undertow.server.RelayDialers;
import io.webproxy.undertow.upstream.PoolSettings;
import io.webproxy.undertow.upstream.Upstreams;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioWorker;
import org.xnio.channels.AcceptingChannel;

/** Relays on IO threads of their own, each accepted connection handed to them as it is; what they say is kept. */
final class RelayHarness implements AutoCloseable {
    private final XnioWorker worker;
    private final Exchanges exchanges;
    private final Upstreams upstreams;
    private final List<AcceptingChannel<StreamConnection>> servers = new ArrayList<>();
    private final BlockingQueue<RelayRecord> records = new LinkedBlockingQueue<>();
    final Relays relays;
    /** What clients are taken for. */
    volatile UnaryOperator<InetSocketAddress> clients = peer -> peer;
    /** What is relayed of an accepted connection. */
    volatile UnaryOperator<StreamConnection> left = accepted -> accepted;

    /** Whether a connection is handed on with its first bytes only, as those of rules are. */
    volatile boolean whenReadable;

    RelayHarness() {
        this(OutlierEjection.defaults(), System::nanoTime, DescriptorRoom.unlimited(), List.of());
    }

    RelayHarness(OutlierEjection ejection, LongSupplier nanoClock, DescriptorRoom room, List<ProxyObserver> others) {
        try {
            worker = Xnio.getInstance()
                    .createWorker(OptionMap.builder()
                            .set(Options.WORKER_IO_THREADS, 1)
                            .set(Options.THREAD_DAEMON, true)
                            .getMap());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        List<ProxyObserver> observers = new ArrayList<>(others);
        observers.add(new ProxyObserver() {
            @Override
            public void relayEnded(RelayRecord relay) {
                records.add(relay);
            }
        });
        exchanges = new Exchanges(
                List.of(worker.getIoThread(0)), nanoClock, new Recorder(observers, null), room, MemoryRoom.unlimited());
        ByteBufferPool buffers = new DefaultByteBufferPool(true, 16 * 1024);
        upstreams = new Upstreams(
                Xnio.getInstance(), List.of(worker.getIoThread(0)), exchanges, buffers, buffers, TlsProvider.JDK);
        upstreams.update(
                upstreams.prepare(Set.of()),
                HttpLimits.defaults(),
                new PoolSettings(PoolLimits.defaults(), ejection),
                Map.of());
        relays = new Relays(
                exchanges::sweeper,
                buffers,
                RelayDialers.of(upstreams),
                exchanges.recorder(),
                room,
                upstreams::outlierEjection);
    }

    /** Listens on a port of its own, all of whose connections go by one rule. */
    int listen(Relay settings) {
        return listen("127.0.0.1", settings);
    }

    int listen(String address, Relay settings) {
        RelayRule rule = relays.rule("test", "ssh", settings);
        return listen(address, () -> rule);
    }

    int listen(String address, Supplier<RelayRule> rule) {
        try {
            AcceptingChannel<StreamConnection> server = worker.createStreamConnectionServer(
                    new InetSocketAddress(InetAddress.getByName(address), 0),
                    channel -> accept(channel, rule),
                    OptionMap.EMPTY);
            servers.add(server);
            server.resumeAccepts();
            return server.getLocalAddress(InetSocketAddress.class).getPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void accept(AcceptingChannel<StreamConnection> server, Supplier<RelayRule> rule) {
        try {
            for (StreamConnection next = server.accept(); next != null; next = server.accept()) {
                StreamConnection accepted = next;
                InetSocketAddress peer = accepted.getPeerAddress(InetSocketAddress.class);
                InetSocketAddress local = accepted.getLocalAddress(InetSocketAddress.class);
                Runnable open =
                        () -> relays.open(rule.get(), new Client(left.apply(accepted), clients.apply(peer), local));
                if (whenReadable) {
                    accepted.getSourceChannel().setReadListener(ready -> open.run());
                    accepted.getSourceChannel().resumeReads();
                } else {
                    IoTasks.execute(accepted.getIoThread(), open);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private record Client(StreamConnection connection, InetSocketAddress client, InetSocketAddress local)
            implements RelayClient {
        @Override
        public void onLeave(Runnable listener) {
            // the endpoint stays
        }

        @Override
        public Lease lease() {
            return new Lease();
        }

        @Override
        public void settled() {
            // there is no room to give back
        }
    }

    /** The next record. */
    RelayRecord ended() throws InterruptedException {
        RelayRecord record = records.poll(30, TimeUnit.SECONDS);
        assertThat(record).as("a record").isNotNull();
        return record;
    }

    /** Nothing more is said, and nothing is open. */
    void isQuiet() throws Exception {
        onThread(() -> {});
        assertThat(records).isEmpty();
        assertThat(relays.open()).isZero();
    }

    ProxyStatus.Rule status() {
        return relays.rules("test", List.of("ssh")).get(0);
    }

    /** Waits until the IO thread has run this, and all that was given to it before. */
    void onThread(Runnable task) throws Exception {
        CompletableFuture.runAsync(task, worker.getIoThread(0)::execute).get(30, TimeUnit.SECONDS);
    }

    /** Has every deadline looked at. */
    void sweep() throws Exception {
        onThread(() -> Sweeps.of(exchanges.sweeper(worker.getIoThread(0))));
    }

    static RawConnection connect(int port) throws IOException {
        return RawConnection.open(port);
    }

    static Relay to(int... ports) {
        String[] targets = new String[ports.length];
        for (int i = 0; i < ports.length; i++) {
            targets[i] = "127.0.0.1:" + ports[i];
        }
        return Relay.to(targets);
    }

    @Override
    public void close() throws IOException {
        servers.forEach(IoUtils::safeClose);
        relays.cutAll();
        IoTasks.settle(List.of(worker.getIoThread(0)));
        upstreams.close();
        worker.shutdown();
        try {
            assertThat(worker.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
