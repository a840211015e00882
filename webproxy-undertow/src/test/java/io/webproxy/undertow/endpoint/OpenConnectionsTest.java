package io.webproxy.undertow.endpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.spi.ConnectionLimits;
import io.webproxy.testing.LeakCheck;
import io.webproxy.undertow.deadline.DescriptorRoom;
import io.webproxy.undertow.testing.OneIoThread;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.Option;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;

@ExtendWith(LeakCheck.class)
class OpenConnectionsTest {
    /** A connection from the loopback address. */
    private static final class Client extends StreamConnection {
        Client(XnioIoThread thread) {
            super(thread);
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
}
