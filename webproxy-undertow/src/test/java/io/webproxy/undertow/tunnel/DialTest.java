package io.webproxy.undertow.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.LeakCheck;
import io.webproxy.undertow.deadline.IoTasks;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

@ExtendWith(LeakCheck.class)
class DialTest {
    @Test
    void addressThatAnswersNothingDoesNotKeepTheNextFromBeingTried() throws Exception {
        InetAddress silent = InetAddress.getByName("127.0.0.2");
        InetAddress good = InetAddress.getByName("127.0.0.1");
        CountDownLatch ended = new CountDownLatch(1);
        XnioWorker worker = Xnio.getInstance()
                .createWorker(
                        null,
                        OptionMap.builder()
                                .set(Options.WORKER_NAME, "dial")
                                .set(Options.WORKER_IO_THREADS, 1)
                                .set(Options.THREAD_DAEMON, true)
                                .getMap(),
                        ended::countDown);
        List<Socket> filling = new ArrayList<>();
        try (ServerSocket accepting = new ServerSocket(0, 50, good);
                ServerSocket full = new ServerSocket(accepting.getLocalPort(), 1, silent)) {
            fill(full, filling);
            XnioIoThread thread = worker.getIoThread(0);
            HostNames names = new HostNames(worker, host -> new InetAddress[] {silent, good});
            CompletableFuture<StreamConnection> dialled = new CompletableFuture<>();
            IoTasks.execute(
                    thread,
                    () -> Dial.start(
                            thread,
                            InetSocketAddress.createUnresolved("two.example.com", accepting.getLocalPort()),
                            names,
                            new Dial.Callback() {
                                @Override
                                public void connected(StreamConnection connection) {
                                    dialled.complete(connection);
                                }

                                @Override
                                public void failed(String why) {
                                    dialled.completeExceptionally(new IOException(why));
                                }
                            }));
            StreamConnection connection = dialled.get(30, TimeUnit.SECONDS);
            try {
                assertThat(connection.getPeerAddress(InetSocketAddress.class).getAddress())
                        .isEqualTo(good);
            } finally {
                IoUtils.safeClose(connection);
            }
        } finally {
            for (Socket socket : filling) {
                socket.close();
            }
            IoTasks.settle(List.of(worker.getIoThread(0)));
            worker.shutdown();
            ended.await(30, TimeUnit.SECONDS);
        }
    }

    /** Until nobody is answered any more. */
    private static void fill(ServerSocket server, List<Socket> filling) throws IOException {
        while (filling.size() < 50) {
            Socket socket = new Socket();
            filling.add(socket);
            try {
                socket.connect(server.getLocalSocketAddress(), 300);
            } catch (SocketTimeoutException e) {
                return;
            }
        }
    }
}
