package io.webproxy.undertow.endpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.spi.ConnectionLimits;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.undertow.deadline.DescriptorRoom;
import io.webproxy.undertow.testing.OneIoThread;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.Option;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;

@ExtendWith(LeakCheck.class)
class OpenConnectionsTest {
    /** A connection from the loopback address. */
    private static final class Client extends StreamConnection {
        /**
         * What happens once when it is just being closed: its place is free, and it may still be among the lingering.
         */
        private Runnable whileClosing = () -> {};

        Client(XnioIoThread thread) {
            super(thread);
        }

        @Override
        public XnioIoThread getIoThread() {
            Runnable now = whileClosing;
            whileClosing = () -> {};
            now.run();
            return super.getIoThread();
        }

        @Override
        protected void notifyWriteClosed() {}

        @Override
        protected void notifyReadClosed() {}

        @Override
        public SocketAddress getPeerAddress() {
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);
        }

        @Override
        public SocketAddress getLocalAddress() {
            return getPeerAddress();
        }

        @Override
        public boolean supportsOption(Option<?> option) {
            return false;
        }

        @Override
        public <T> T getOption(Option<T> option) {
            return null;
        }

        @Override
        public <T> T setOption(Option<T> option, T value) {
            return null;
        }
    }

    @Test
    void whoSeesThatFewerAreOpenMayConnect() throws Exception {
        OpenConnections open = new OpenConnections(DescriptorRoom.unlimited(), System::nanoTime);
        open.limits(ConnectionLimits.defaults().withPerAddress(1), List.of());
        Acceptor endpoint = new Acceptor(open, admitted -> {});
        ExecutorService other = Executors.newSingleThreadExecutor();
        try (OneIoThread io = OneIoThread.start()) {
            for (int i = 0; i < 5_000; i++) {
                Client client = new Client(io.thread());
                assertThat(open.admit(client, endpoint)).as("connection %d", i).isNotNull();
                Future<?> closed = other.submit(() -> {
                    client.close();
                    return null;
                });
                while (open.count() > 0) {
                    Thread.onSpinWait();
                }
                assertThat(open.clients()).as("clients after connection %d", i).isZero();
                closed.get(30, TimeUnit.SECONDS);
            }
        } finally {
            other.shutdown();
        }
    }

    /** Several threads accept at the same time. */
    @Test
    @ExpectedLog(contains = "Refusing connections: 1 are open")
    void noConnectionIsAdmittedBeyondTheTotal() throws Exception {
        OpenConnections open = new OpenConnections(DescriptorRoom.unlimited(), System::nanoTime);
        open.limits(ConnectionLimits.defaults().withTotal(1), List.of());
        CyclicBarrier bothHaveAPlace = new CyclicBarrier(2);
        open.memory(count -> meet(bothHaveAPlace));
        Acceptor endpoint = new Acceptor(open, admitted -> {});
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try (OneIoThread io = OneIoThread.start();
                Client one = new Client(io.thread());
                Client other = new Client(io.thread())) {
            Future<Boolean> first = threads.submit(() -> open.admit(one, endpoint) != null);
            Future<Boolean> second = threads.submit(() -> open.admit(other, endpoint) != null);
            assertThat(first.get(30, TimeUnit.SECONDS) ^ second.get(30, TimeUnit.SECONDS))
                    .as("exactly one is admitted")
                    .isTrue();
            assertThat(open.count()).isOne();
        } finally {
            threads.shutdown();
        }
    }

    private static OpenConnections open(int total) {
        OpenConnections open = new OpenConnections(DescriptorRoom.unlimited(), System::nanoTime);
        open.limits(ConnectionLimits.defaults().withTotal(total).withPerAddress(0), List.of());
        return open;
    }

    private static void lingering(OpenConnections open, Acceptor endpoint, Client client) {
        ClientConnection admitted = open.admit(client, endpoint);
        assertThat(admitted).isNotNull();
        open.linger(admitted);
    }

    /** Another thread is faster. */
    @Test
    @ExpectedLog(contains = "Refusing connections: 1 are open")
    void placeThatWasMadeForOneConnectionIsNotGivenToTwo() throws Exception {
        OpenConnections open = open(1);
        Acceptor endpoint = new Acceptor(open, admitted -> {});
        try (OneIoThread io = OneIoThread.start();
                Client old = new Client(io.thread());
                Client faster = new Client(io.thread());
                Client slower = new Client(io.thread())) {
            lingering(open, endpoint, old);
            old.whileClosing = () -> assertThat(open.admit(faster, endpoint)).isNotNull();
            assertThat(open.admit(slower, endpoint)).isNull();
            assertThat(open.count()).isOne();
        }
    }

    /** Another thread needs room, too, before the first has closed its connection. */
    @Test
    void twoThreadsThatMakeRoomCloseTwoConnections() throws Exception {
        OpenConnections open = open(40);
        Acceptor endpoint = new Acceptor(open, admitted -> {});
        try (OneIoThread io = OneIoThread.start();
                Client busy = new Client(io.thread());
                Client oldest = new Client(io.thread());
                Client older = new Client(io.thread())) {
            open.admit(busy, endpoint);
            lingering(open, endpoint, oldest);
            lingering(open, endpoint, older);
            oldest.whileClosing = () -> assertThat(open.resetOldestLingering()).isTrue();
            assertThat(open.resetOldestLingering()).isTrue();
            assertThat(open.count()).as("only the busy one is left").isOne();
            assertThat(open.resetOldestLingering()).isFalse();
        }
    }

    private static boolean meet(CyclicBarrier barrier) {
        try {
            return barrier.await(30, TimeUnit.SECONDS) >= 0;
        } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
            throw new IllegalStateException(e);
        }
    }
}
