package io.webproxy.undertow.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.undertow.server.DefaultByteBufferPool;
import io.webproxy.http.HttpLimits;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Upstream;
import io.webproxy.testing.LeakCheck;
import io.webproxy.undertow.deadline.SocketReads;
import io.webproxy.undertow.deadline.Sweeper;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioWorker;

/** A name with several addresses, each with a server of its own. */
@ExtendWith(LeakCheck.class)
class ConnectorSpreadTest {
    private static final Connector.Secrets NONE = new Connector.Secrets() {
        @Override
        public @Nullable UndertowXnioSsl known(Upstream upstream, boolean http2) {
            return null;
        }

        @Override
        public UndertowXnioSsl load(Upstream upstream, boolean http2) {
            throw new AssertionError();
        }
    };

    private final Spread spread = new Spread();

    private String connect(Connector connector, Sweeper sweeper, Upstream upstream) throws Exception {
        CompletableFuture<String> outcome = new CompletableFuture<>();
        sweeper.thread()
                .execute(() -> connector.connect(
                        sweeper,
                        upstream,
                        false,
                        Duration.ofSeconds(10),
                        spread,
                        java.nio.ByteBuffer.allocate(0),
                        new Connector.Callback() {
                            @Override
                            public void connected(StreamConnection stream, SocketReads reads) {
                                outcome.complete(stream.getPeerAddress(InetSocketAddress.class)
                                        .getAddress()
                                        .getHostAddress());
                                IoUtils.safeClose(stream);
                            }

                            @Override
                            public void failed(ForwardError error, String detail) {
                                outcome.complete(error.name());
                            }
                        }));
        return outcome.get(30, TimeUnit.SECONDS);
    }

    @Test
    void connectionsAreSpreadOverTheAddressesOfANameAndADeadOneIsSkipped() throws Exception {
        InetAddress[] found = {
            InetAddress.getByName("127.0.0.1"), InetAddress.getByName("127.0.0.2"), InetAddress.getByName("127.0.0.3")
        };
        List<ServerSocket> servers = new ArrayList<>();
        XnioWorker worker = Xnio.getInstance()
                .createWorker(OptionMap.builder()
                        .set(Options.WORKER_IO_THREADS, 1)
                        .set(Options.THREAD_DAEMON, true)
                        .getMap());
        try {
            for (InetAddress address : found) {
                servers.add(
                        new ServerSocket(servers.isEmpty() ? 0 : servers.get(0).getLocalPort(), 50, address));
            }
            Upstream upstream =
                    Upstream.of("http://several.example:" + servers.get(0).getLocalPort());
            Connector connector = new Connector(
                    Runnable::run,
                    new Addresses(Runnable::run, System::nanoTime, host -> found),
                    new DefaultByteBufferPool(true, 8192),
                    HttpLimits::defaults,
                    NONE);
            Sweeper sweeper = new Sweeper(worker.getIoThread(0), System::nanoTime);
            List<String> reached = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                reached.add(connect(connector, sweeper, upstream));
            }
            assertThat(reached)
                    .containsExactly("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.1", "127.0.0.2", "127.0.0.3");
            servers.get(1).close();
            reached.clear();
            for (int i = 0; i < 9; i++) {
                reached.add(connect(connector, sweeper, upstream));
            }
            assertThat(reached).containsOnly("127.0.0.1", "127.0.0.3");
        } finally {
            for (ServerSocket server : servers) {
                server.close();
            }
            worker.shutdown();
            assertThat(worker.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        }
    }
}
