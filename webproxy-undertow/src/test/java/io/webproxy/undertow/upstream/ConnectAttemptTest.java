package io.webproxy.undertow.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.server.DefaultByteBufferPool;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Upstream;
import io.webproxy.testing.LeakCheck;
import io.webproxy.undertow.deadline.Sweeper;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioWorker;

@ExtendWith(LeakCheck.class)
class ConnectAttemptTest {
    @Test
    void nextAddressIsTriedWhereTheFirstRefuses() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getByName("127.0.0.1"))) {
            assertThat(outcome(server.getLocalPort(), "::1", "127.0.0.1")).isEqualTo("connected to 127.0.0.1");
        }
        try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getByName("127.0.0.2"))) {
            assertThat(outcome(server.getLocalPort(), "127.0.0.1", "127.0.0.2")).isEqualTo("connected to 127.0.0.2");
        }
    }

    @Test
    void refusalOfAllIsTheAnswer() throws Exception {
        int port;
        try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getByName("127.0.0.1"))) {
            port = server.getLocalPort();
        }
        assertThat(outcome(port, "127.0.0.1", "127.0.0.2")).isEqualTo("CONNECT_REFUSED");
    }

    private static String outcome(int port, String... addresses) throws Exception {
        XnioWorker worker = Xnio.getInstance()
                .createWorker(OptionMap.builder()
                        .set(Options.WORKER_IO_THREADS, 1)
                        .set(Options.THREAD_DAEMON, true)
                        .getMap());
        CompletableFuture<String> outcome = new CompletableFuture<>();
        Sweeper sweeper = new Sweeper(worker.getIoThread(0), System::nanoTime);
        ConnectAttempt attempt = new ConnectAttempt(
                sweeper,
                Upstream.of("http://several.example:" + port),
                Duration.ofSeconds(5),
                new DefaultByteBufferPool(true, 8192),
                null,
                new Connector.Callback() {
                    @Override
                    public void connected(StreamConnection stream) {
                        outcome.complete("connected to "
                                + stream.getPeerAddress(java.net.InetSocketAddress.class)
                                        .getAddress()
                                        .getHostAddress());
                        IoUtils.safeClose(stream);
                    }

                    @Override
                    public void failed(ForwardError error, String detail) {
                        outcome.complete(error.name());
                    }
                });
        try {
            List<InetAddress> found = new java.util.ArrayList<>();
            for (String address : addresses) {
                found.add(InetAddress.getByName(address));
            }
            sweeper.thread().execute(() -> {
                attempt.start();
                attempt.resolved(found);
            });
            return outcome.get(10, TimeUnit.SECONDS);
        } finally {
            worker.shutdown();
            assertThat(worker.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
        }
    }
}
