package io.webproxy.undertow.deadline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RefusedPort;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.IoFuture;
import org.xnio.IoUtils;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioWorker;

/** Holds for the version of XNIO that is built with; another one may need another way. */
@ExtendWith(LeakCheck.class)
class DirectSocketsTest {
    private static final InetAddress HERE = InetAddress.getLoopbackAddress();

    private XnioWorker worker;

    @BeforeEach
    void start() {
        worker = Xnio.getInstance().createWorkerBuilder().setWorkerIoThreads(1).build();
    }

    @AfterEach
    void stop() throws Exception {
        worker.shutdown();
        assertThat(worker.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void connectWithinTheMachineIsDoneAtOnce() throws Exception {
        InetAddress source = InetAddress.getByName("127.0.0.2");
        try (ServerSocket server = new ServerSocket(0, 5, HERE)) {
            connect(source, server.getLocalSocketAddress(), future -> {
                assertThat(future.getStatus()).isEqualTo(IoFuture.Status.DONE);
            });
            connect(null, server.getLocalSocketAddress(), future -> {
                assertThat(future.getStatus()).isEqualTo(IoFuture.Status.DONE);
                StreamConnection connection = future.get();
                assertThat(connection.getOption(Options.TCP_NODELAY)).isTrue();
                assertThat(connection.getOption(Options.KEEP_ALIVE)).isTrue();
                assertThat(connection.getPeerAddress()).isEqualTo(server.getLocalSocketAddress());
            });
            try (Socket first = server.accept();
                    Socket second = server.accept()) {
                assertThat(first.getInetAddress()).isEqualTo(source);
                assertThat(second.getInetAddress()).isEqualTo(HERE);
            }
        }
    }

    @Test
    void refusalIsKnownAtOnce() throws Exception {
        try (RefusedPort refused = RefusedPort.open()) {
            connect(null, new InetSocketAddress(HERE, refused.port()), future -> {
                assertThat(future.getStatus()).isEqualTo(IoFuture.Status.FAILED);
                assertThatThrownBy(future::get).isInstanceOf(ConnectException.class);
            });
        }
    }

    /** The server's queue is full, so that it lets connects hang until it accepts. */
    @Test
    void connectThatHangsIsWaitedForAndReadsThen() throws Exception {
        List<Socket> filling = new ArrayList<>();
        CountDownLatch read = new CountDownLatch(1);
        try (ServerSocket server = new ServerSocket(0, 1, HERE)) {
            fill(server, filling);
            CompletableFuture<StreamConnection> connected = new CompletableFuture<>();
            connect(null, server.getLocalSocketAddress(), false, future -> {
                assertThat(future.getStatus()).isEqualTo(IoFuture.Status.WAITING);
                future.addNotifier((ended, attachment) -> complete(connected, future, read), null);
            });
            server.setSoTimeout(50);
            long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
            while (!connected.isDone() && System.nanoTime() - until < 0) {
                try (Socket accepted = server.accept()) {
                    accepted.getOutputStream().write('x');
                } catch (SocketTimeoutException e) {
                    // its first packet is sent once more after a second
                }
            }
            StreamConnection connection = connected.get(0, TimeUnit.SECONDS);
            assertThat(read.await(10, TimeUnit.SECONDS)).isTrue();
            IoUtils.safeClose(connection);
        } finally {
            for (Socket socket : filling) {
                socket.close();
            }
        }
    }

    @Test
    void cancelledConnectIsClosed() throws Exception {
        List<Socket> filling = new ArrayList<>();
        try (ServerSocket server = new ServerSocket(0, 1, HERE)) {
            fill(server, filling);
            connect(null, server.getLocalSocketAddress(), false, future -> {
                future.cancel();
                assertThat(future.getStatus()).isEqualTo(IoFuture.Status.CANCELLED);
            });
        } finally {
            for (Socket socket : filling) {
                socket.close();
            }
        }
    }

    private static void complete(
            CompletableFuture<StreamConnection> connected, IoFuture<StreamConnection> future, CountDownLatch read) {
        try {
            StreamConnection connection = future.get();
            connection.getSourceChannel().setReadListener(ready -> {
                read.countDown();
                ready.suspendReads();
            });
            connection.getSourceChannel().resumeReads();
            connected.complete(connection);
        } catch (Exception e) {
            connected.completeExceptionally(e);
        }
    }

    private static void fill(ServerSocket hung, List<Socket> filling) throws Exception {
        for (int i = 0; i < 8; i++) {
            Socket socket = new Socket();
            filling.add(socket);
            try {
                socket.connect(hung.getLocalSocketAddress(), 250);
            } catch (SocketTimeoutException e) {
                return;
            }
        }
    }

    private interface Look {
        void at(IoFuture<StreamConnection> future) throws Exception;
    }

    private void connect(@Nullable InetAddress source, SocketAddress to, Look look) throws Exception {
        connect(source, to, true, look);
    }

    /** Looks at a connect right after it, on the IO thread. */
    private void connect(@Nullable InetAddress source, SocketAddress to, boolean close, Look look) throws Exception {
        CompletableFuture<Void> looked = new CompletableFuture<>();
        worker.getIoThread(0).execute(() -> {
            try {
                IoFuture<StreamConnection> future =
                        DirectSockets.connect(worker.getIoThread(0), source, (InetSocketAddress) to);
                assertThat(future).isNotNull();
                try {
                    look.at(future);
                } finally {
                    if (close && future.getStatus() == IoFuture.Status.DONE) {
                        IoUtils.safeClose(future.get());
                    }
                }
                looked.complete(null);
            } catch (Throwable e) {
                looked.completeExceptionally(e);
            }
        });
        looked.get(10, TimeUnit.SECONDS);
    }
}
