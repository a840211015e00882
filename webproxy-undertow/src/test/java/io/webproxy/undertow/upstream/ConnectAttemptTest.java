package io.webproxy.undertow.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.server.DefaultByteBufferPool;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Upstream;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RefusedPort;
import io.webproxy.undertow.deadline.SocketReads;
import io.webproxy.undertow.deadline.Sweeper;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioWorker;

/** Where XNIO connects, and where sockets are connected directly. */
@ParameterizedClass
@ValueSource(booleans = {false, true})
@ExtendWith(LeakCheck.class)
class ConnectAttemptTest {
    @Parameter
    private boolean direct;

    @Test
    void nextAddressIsTriedWhereTheFirstRefuses() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getByName("127.0.0.1"))) {
            assertThat(outcome(new Spread(), server.getLocalPort(), "::1", "127.0.0.1"))
                    .isEqualTo("connected to 127.0.0.1");
        }
        try (RefusedPort refused = RefusedPort.open();
                ServerSocket server = new ServerSocket(refused.port(), 5, InetAddress.getByName("127.0.0.2"))) {
            assertThat(outcome(new Spread(), server.getLocalPort(), "127.0.0.1", "127.0.0.2"))
                    .isEqualTo("connected to 127.0.0.2");
        }
    }

    @Test
    void addressThatRefusedIsNotTheFirstNextTime() throws Exception {
        try (RefusedPort refused = RefusedPort.open();
                ServerSocket server = new ServerSocket(refused.port(), 5, InetAddress.getByName("127.0.0.2"))) {
            Spread spread = new Spread();
            outcome(spread, server.getLocalPort(), "127.0.0.1", "127.0.0.2");
            List<InetAddress> found = List.of(InetAddress.getByName("127.0.0.1"), InetAddress.getByName("127.0.0.2"));
            for (int i = 0; i < 4; i++) {
                assertThat(spread.next(found, System.nanoTime())).first().isEqualTo(found.get(1));
            }
        }
    }

    /** The first one's queue is full, so that it lets connects hang. */
    @Test
    void addressThatHangsCostsOneConnectAQuarterOfASecondAndNotTheNext() throws Exception {
        List<java.net.Socket> filling = new java.util.ArrayList<>();
        try (ServerSocket hung = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
                ServerSocket server = new ServerSocket(hung.getLocalPort(), 5, InetAddress.getByName("127.0.0.2"))) {
            fill(hung, filling);
            Spread spread = new Spread();
            assertThat(outcome(spread, server.getLocalPort(), "127.0.0.1", "127.0.0.2"))
                    .isEqualTo("connected to 127.0.0.2");
            List<InetAddress> found = List.of(InetAddress.getByName("127.0.0.1"), InetAddress.getByName("127.0.0.2"));
            for (int i = 0; i < 4; i++) {
                assertThat(spread.next(found, System.nanoTime())).first().isEqualTo(found.get(1));
            }
        } finally {
            for (java.net.Socket socket : filling) {
                socket.close();
            }
        }
    }

    private static void fill(ServerSocket hung, List<java.net.Socket> filling) throws Exception {
        for (int i = 0; i < 8; i++) {
            java.net.Socket socket = new java.net.Socket();
            filling.add(socket);
            try {
                socket.connect(hung.getLocalSocketAddress(), 250);
            } catch (java.net.SocketTimeoutException e) {
                return;
            }
        }
    }

    @Test
    void refusalOfAllIsTheAnswer() throws Exception {
        try (RefusedPort refused = RefusedPort.open();
                RefusedPort other = RefusedPort.open("127.0.0.2", refused.port())) {
            assertThat(outcome(new Spread(), other.port(), "127.0.0.1", "127.0.0.2"))
                    .isEqualTo("CONNECT_REFUSED");
        }
    }

    @Test
    void addressesThatTheNameHasMeanwhileAreTriedInTheSameAttempt() throws Exception {
        List<InetAddress> meanwhile = List.of(InetAddress.getByName("127.0.0.1"), InetAddress.getByName("127.0.0.2"));
        try (RefusedPort refused = RefusedPort.open();
                ServerSocket server = new ServerSocket(refused.port(), 5, InetAddress.getByName("127.0.0.2"))) {
            assertThat(outcome(new Spread(), server.getLocalPort(), answer -> answer.accept(meanwhile), "127.0.0.1"))
                    .isEqualTo("connected to 127.0.0.2");
            assertThat(outcome(new Spread(), server.getLocalPort(), answer -> answer.accept(meanwhile)))
                    .isEqualTo("connected to 127.0.0.2");
        }
    }

    @Test
    void addressThatHangsIsNoReasonToKeepToIt() throws Exception {
        List<java.net.Socket> filling = new java.util.ArrayList<>();
        try (ServerSocket hung = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
                ServerSocket server = new ServerSocket(hung.getLocalPort(), 5, InetAddress.getByName("127.0.0.2"))) {
            fill(hung, filling);
            List<InetAddress> second = List.of(InetAddress.getByName("127.0.0.2"));
            assertThat(outcome(new Spread(), server.getLocalPort(), answer -> answer.accept(second), "127.0.0.1"))
                    .isEqualTo("connected to 127.0.0.2");
        } finally {
            for (java.net.Socket socket : filling) {
                socket.close();
            }
        }
    }

    @Test
    void lookupThatHangsKeepsTheFailureBackForAMoment() throws Exception {
        try (ServerSocket elsewhere = new ServerSocket(0, 5, InetAddress.getByName("127.0.0.3"))) {
            int port = elsewhere.getLocalPort();
            assertThat(outcome(new Spread(), port, answer -> {}, "127.0.0.1")).isEqualTo("CONNECT_REFUSED");
            assertThat(outcome(new Spread(), port, answer -> {})).isEqualTo("DNS");
        }
    }

    private String outcome(Spread spread, int port, String... addresses) throws Exception {
        return outcome(spread, port, answer -> answer.accept(List.of()), addresses);
    }

    private String outcome(Spread spread, int port, ConnectAttempt.Names names, String... addresses) throws Exception {
        XnioWorker worker = Xnio.getInstance()
                .createWorker(OptionMap.builder()
                        .set(Options.WORKER_IO_THREADS, 1)
                        .set(Options.THREAD_DAEMON, true)
                        .getMap());
        CompletableFuture<String> outcome = new CompletableFuture<>();
        Sweeper sweeper = new Sweeper(worker.getIoThread(0), System::nanoTime);
        ConnectAttempt attempt = new ConnectAttempt(
                sweeper,
                Destination.of(Upstream.of("http://several.example:" + port)),
                Duration.ofSeconds(5),
                ByteBuffer.allocate(0),
                new DefaultByteBufferPool(true, 8192),
                spread,
                names,
                direct,
                new Connector.Callback() {
                    @Override
                    public void connected(StreamConnection stream, SocketReads reads) {
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
                attempt.resolved(found, null);
            });
            return outcome.get(30, TimeUnit.SECONDS);
        } finally {
            worker.shutdown();
            assertThat(worker.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        }
    }
}
