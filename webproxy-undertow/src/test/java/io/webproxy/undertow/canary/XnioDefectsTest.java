package io.webproxy.undertow.canary;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.LoggedErrors;
import io.webproxy.undertow.testing.OneIoThread;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.SocketChannel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.IoFuture;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;

/** XNIO's threads and sockets. */
@ExtendWith(LeakCheck.class)
class XnioDefectsTest {
    @Test
    void connectThatIsDoneIsWaitedFor() throws Exception {
        try (OneIoThread io = OneIoThread.start();
                ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            InetSocketAddress address = (InetSocketAddress) server.getLocalSocketAddress();
            IoFuture<StreamConnection> connecting = io.call(() -> {
                try (SocketChannel done = SocketChannel.open()) {
                    done.configureBlocking(false);
                    assertThat(done.connect(address) || done.finishConnect())
                            .as("the kernel connects within the machine at once")
                            .isTrue();
                }
                IoFuture<StreamConnection> future =
                        io.thread().openStreamConnection(address, connection -> {}, OptionMap.EMPTY);
                assertThat(future.getStatus())
                        .as("XNIO sees that a connect is done: DirectSockets isn't needed for the targets of relays")
                        .isEqualTo(IoFuture.Status.WAITING);
                return future;
            });
            connecting.get().close();
        }
    }

    @Test
    @ExpectedLog(contains = "thrown by a task")
    void failureOfATaskIsLoggedEachTime() throws Exception {
        try (OneIoThread io = OneIoThread.start();
                LoggedErrors log = new LoggedErrors("org.xnio")) {
            for (int i = 0; i < 3; i++) {
                io.thread().execute(() -> {
                    throw new IllegalStateException("thrown by a task");
                });
            }
            io.call(() -> null);

            assertThat(log.count())
                    .as("XNIO doesn't log the failures of tasks without end: IoTasks needn't catch them")
                    .isEqualTo(3);
        }
    }
}
