package io.webproxy.undertow.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.undertow.server.DefaultByteBufferPool;
import io.undertow.util.HeaderMap;
import io.webproxy.http.HttpLimits;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.PoolLimits;
import io.webproxy.route.Upstream;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.undertow.deadline.CountedReads;
import io.webproxy.undertow.deadline.CountedWrites;
import io.webproxy.undertow.deadline.DescriptorRoom;
import io.webproxy.undertow.deadline.MemoryRoom;
import io.webproxy.undertow.deadline.SocketReads;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.message.FieldParser;
import io.webproxy.undertow.message.Leniency;
import io.webproxy.undertow.observe.Recorder;
import io.webproxy.undertow.testing.OneIoThread;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ServerSocketFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioIoThread;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSourceConduit;
import org.xnio.ssl.SslConnection;

/**
 * An upstream's socket is read once for each piece that it has and written once where that will do, in cleartext and
 * under TLS, and what comes unasked is noticed all the same.
 */
@ExtendWith(LeakCheck.class)
class CallsPerExchangeTest {
    private final DefaultByteBufferPool buffers = new DefaultByteBufferPool(true, 17 * 1024);
    private OneIoThread io;
    private XnioIoThread thread;
    private Upstreams upstreams;
    private ServerSocket server;
    private RawConnection peer;
    private StreamConnection socket;
    private CountedReads counted;
    private UpstreamConnection connection;

    @BeforeEach
    void start() throws Exception {
        io = OneIoThread.start();
        thread = io.thread();
        Exchanges exchanges = new Exchanges(
                List.of(thread),
                System::nanoTime,
                new Recorder(List.of(), null),
                DescriptorRoom.unlimited(),
                MemoryRoom.unlimited());
        upstreams = new Upstreams(Xnio.getInstance(), List.of(thread), exchanges, buffers, buffers, TlsProvider.JDK);
    }

    @AfterEach
    void stop() throws Exception {
        io.call(() -> {
            connection.close();
            return null;
        });
        upstreams.close();
        peer.close();
        server.close();
        io.close();
    }

    private void connect(boolean tls) throws Exception {
        ServerSocketFactory factory =
                tls ? TestProxy.identity().sslContext().getServerSocketFactory() : ServerSocketFactory.getDefault();
        server = factory.createServerSocket(0, 1, InetAddress.getLoopbackAddress());
        socket = thread.openStreamConnection(
                        (InetSocketAddress) server.getLocalSocketAddress(), null, null, OptionMap.EMPTY)
                .get();
        CompletableFuture<StreamConnection> ready = new CompletableFuture<>();
        Upstream upstream = Upstream.of("http://127.0.0.1:" + server.getLocalPort());
        upstreams.update(
                upstreams.prepare(Set.of(upstream)),
                HttpLimits.defaults(),
                new PoolSettings(PoolLimits.defaults(), OutlierEjection.defaults()),
                Map.of());
        SocketReads reads = io.call(() -> {
            counted = CountedReads.of(socket);
            SocketReads own = SocketReads.of(socket);
            if (tls) {
                handshake(socket, ready);
            } else {
                ready.complete(socket);
            }
            return own;
        });
        peer = new RawConnection(server.accept());
        if (tls) {
            CompletableFuture<Void> shaken = CompletableFuture.runAsync(() -> {
                try {
                    ((javax.net.ssl.SSLSocket) peer.socket()).startHandshake();
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            shaken.get(30, TimeUnit.SECONDS);
        }
        StreamConnection stream = ready.get(30, TimeUnit.SECONDS);
        connection = io.call(() -> new UpstreamConnection(
                stream,
                reads,
                upstreams.pool(upstream).lane(thread),
                buffers,
                new ResponseParser(FieldParser.ofResponseHeads(), 8192, 100, Leniency.NONE)));
    }

    private void handshake(StreamConnection socket, CompletableFuture<StreamConnection> ready) throws IOException {
        SslConnection secure = new UndertowXnioSsl(
                        Xnio.getInstance(),
                        OptionMap.EMPTY,
                        buffers,
                        TestProxy.trust().sslContext())
                .wrapExistingConnection(
                        socket,
                        OptionMap.builder()
                                .set(Options.SSL_PEER_HOST_NAME, "localhost")
                                .set(Options.SSL_PEER_PORT, server.getLocalPort())
                                .getMap(),
                        true);
        secure.getHandshakeSetter().set(finished -> ready.complete(secure));
        secure.getSourceChannel().setReadListener(channel -> {
            try {
                channel.read(ByteBuffer.allocate(0));
            } catch (IOException e) {
                ready.completeExceptionally(e);
            }
        });
        secure.startHandshake();
        secure.getSourceChannel().resumeReads();
    }

    /** What is read of one response, until it ends. */
    private final class Answer implements UpstreamListener, ResponseListener {
        private final StringBuilder text = new StringBuilder();
        private final CompletableFuture<String> end = new CompletableFuture<>();

        @Override
        public void requestBytesTaken(long bytes) {}

        @Override
        public void requestBodyWrong(String problem) {}

        @Override
        public void refused(String detail) {}

        @Override
        public void interim(ParsedHead head) {}

        @Override
        public void responded(ParsedHead head) {
            StreamSourceConduit body = connection.responseBody(this);
            body.setReadReadyHandler(new ReadReadyHandler() {
                @Override
                public void readReady() {
                    pump(body);
                }

                @Override
                public void forceTermination() {}

                @Override
                public void terminated() {}
            });
            pump(body);
        }

        private void pump(StreamSourceConduit body) {
            ByteBuffer buffer = ByteBuffer.allocate(1000);
            try {
                int read = body.read(buffer);
                while (read > 0) {
                    buffer.flip();
                    text.append(StandardCharsets.ISO_8859_1.decode(buffer));
                    buffer.clear();
                    read = body.read(buffer);
                }
                if (read == 0) {
                    body.resumeReads();
                } else {
                    body.suspendReads();
                    end.complete(text.toString());
                }
            } catch (IOException e) {
                end.completeExceptionally(e);
            }
        }

        @Override
        public void failed(ForwardError error, String detail, boolean silent) {
            end.completeExceptionally(new AssertionError(detail));
        }

        @Override
        public void responseBytes(long bytes) {}

        @Override
        public void responsePaused() {}

        @Override
        public void responseEnded(HeaderMap trailers) {}

        @Override
        public void responseBroken(String detail) {}
    }

    private static RequestHead head(String method) {
        return out -> out.start(method, "http", "a", "/");
    }

    /** One exchange, answered in these pieces; each is read before the next is sent. */
    private String exchange(String... pieces) throws Exception {
        Answer answer = new Answer();
        io.call(() -> {
            connection.exchange(
                    answer, out -> out.start("GET", "http", "a", "/"), RequestFraming.NONE, false, () -> null);
            return null;
        });
        assertThat(peer.readHead()).startsWith("GET / HTTP/1.1");
        for (int i = 0; i < pieces.length; i++) {
            int before = counted.count();
            peer.send(pieces[i]);
            await().until(() -> counted.count() > before);
        }
        String text = answer.end.get(30, TimeUnit.SECONDS);
        // what TLS or the connection has left to do on the thread comes before this
        io.call(() -> null);
        io.call(() -> null);
        return text;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void exchangeReadsTheSocketOnceForEachPiece(boolean tls) throws Exception {
        connect(tls);
        exchange("HTTP/1.1 200 OK¶Content-Length: 0¶¶");
        int before = counted.count();
        for (int i = 0; i < 5; i++) {
            assertThat(exchange("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok")).isEqualTo("ok");
        }
        assertThat(counted.count() - before).as("whole").isEqualTo(5);
        before = counted.count();
        for (int i = 0; i < 5; i++) {
            assertThat(exchange("HTTP/1.1 200 OK¶Content-", "Length: 4¶¶", "o", "kay"))
                    .isEqualTo("okay");
        }
        assertThat(counted.count() - before).as("with a length").isEqualTo(20);
        before = counted.count();
        for (int i = 0; i < 5; i++) {
            assertThat(exchange("HTTP/1.1 200 OK¶Transfer-Encoding: chunked¶¶", "2¶ok¶", "1¶!", "¶0¶¶"))
                    .isEqualTo("ok!");
        }
        assertThat(counted.count() - before).as("in chunks").isEqualTo(20);
        assertThat(connection.isOpen()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"4,body", "-1,'4¶body'"})
    void headAndTheBodyThatIsThereGoOutInOneWrite(long length, String body) throws Exception {
        connect(false);
        CountedWrites writes = io.call(() -> CountedWrites.of(socket));
        Answer answer = new Answer();
        io.call(() -> {
            connection.exchange(answer, head("POST"), new RequestFraming(length), false, () -> null);
            return connection.requestBody().write(ByteBuffer.wrap("body".getBytes(StandardCharsets.ISO_8859_1)));
        });
        assertThat(peer.readHead()).startsWith("POST / HTTP/1.1");
        assertThat(peer.read(body.replace("¶", "\r\n").length())).isEqualTo(body.replace("¶", "\r\n"));
        assertThat(writes.count()).isEqualTo(1);
    }

    @Test
    void headGoesOutBeforeABodyThatIsNotThere() throws Exception {
        connect(false);
        Answer answer = new Answer();
        io.call(() -> {
            connection.exchange(answer, head("POST"), RequestFraming.ofLength(4), false, () -> null);
            return null;
        });
        assertThat(peer.readHead()).startsWith("POST / HTTP/1.1");
        assertThat(io.call(connection::isAwaitingBody)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void idleConnectionThatTheUpstreamClosesIsClosed(boolean tls) throws Exception {
        connect(tls);
        exchange("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
        assertThat(connection.isOpen()).isTrue();
        peer.close();
        await().until(() -> !connection.isOpen());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void idleConnectionThatSaysSomethingIsClosed(boolean tls) throws Exception {
        connect(tls);
        exchange("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
        assertThat(connection.isOpen()).isTrue();
        peer.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶no");
        await().until(() -> !connection.isOpen());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void responseWithSurplusIsTheLastOfItsConnection(boolean tls) throws Exception {
        connect(tls);
        assertThat(exchange("HTTP/1.1 200 OK¶Content-Length: 2¶¶okHTTP/1.1 200 OK¶¶"))
                .isEqualTo("ok");
        assertThat(connection.isOpen()).isFalse();
    }
}
