package io.webproxy.undertow.canary;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.undertow.testing.OneIoThread;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.ChannelListener;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.channels.AcceptingChannel;
import org.xnio.conduits.AbstractStreamSourceConduit;
import org.xnio.conduits.ConduitStreamSourceChannel;
import org.xnio.conduits.StreamSourceConduit;
import org.xnio.ssl.SslConnection;

/** Undertow's {@code SslConduit}, on one IO thread, with the JDK's TLS. */
@ExtendWith(LeakCheck.class)
class SslConduitDefectsTest {
    private static final HeldCertificate HELD =
            new HeldCertificate.Builder().addSubjectAlternativeName("localhost").build();
    private static final HandshakeCertificates SERVER =
            new HandshakeCertificates.Builder().heldCertificate(HELD).build();
    private static final HandshakeCertificates CLIENT = new HandshakeCertificates.Builder()
            .addTrustedCertificate(HELD.certificate())
            .build();

    private static final int RECORD = 1000;

    private final AtomicInteger vainReads = new AtomicInteger();

    @Test
    void socketIsAskedAgainAfterARecord() throws Exception {
        CompletableFuture<Integer> calledAgain = new CompletableFuture<>();
        AtomicInteger calls = new AtomicInteger();
        try (OneIoThread io = OneIoThread.start();
                Accepted secure = Accepted.start(io, this::wrapped);
                RawConnection client = RawConnection.openTls(secure.port(), CLIENT.sslSocketFactory(), "http/1.1")) {
            ConduitStreamSourceChannel source = secure.established();
            client.send(new byte[RECORD]);
            io.call(() -> {
                vainReads.set(0);
                source.setReadListener(channel -> {
                    read(channel, 2 * RECORD);
                    if (calls.incrementAndGet() == 2) {
                        calledAgain.complete(vainReads.get());
                    }
                });
                source.resumeReads();
                return null;
            });

            assertThat(orZero(calledAgain))
                    .as("a TLS connection isn't read again after a record that was all there was: SocketReads"
                            + " isn't needed under TLS")
                    .isPositive();
        }
    }

    @Test
    void bytesOfAnEngineComeBeforeOtherConnections() throws Exception {
        CompletableFuture<Integer> readBefore = new CompletableFuture<>();
        AtomicInteger bytes = new AtomicInteger();
        try (OneIoThread io = OneIoThread.start();
                Accepted secure = Accepted.start(io, this::wrapped);
                Accepted plain = Accepted.start(io, connection -> connection);
                RawConnection client = RawConnection.openTls(secure.port(), CLIENT.sslSocketFactory(), "http/1.1");
                RawConnection other = RawConnection.open(plain.port())) {
            ConduitStreamSourceChannel source = secure.established();
            ConduitStreamSourceChannel otherSource = plain.established();
            client.send(new byte[RECORD]);
            io.call(() -> {
                otherSource.setReadListener(channel -> {
                    read(channel, 1);
                    readBefore.complete(bytes.get());
                });
                otherSource.resumeReads();
                source.setReadListener(channel -> {
                    if (read(channel, 1) > 0 && bytes.incrementAndGet() == 1) {
                        // the other connection has something to read from now on
                        send(other);
                    }
                });
                source.resumeReads();
                return null;
            });

            assertThat(orZero(readBefore))
                    .as("other connections have their turn while an engine holds bytes: bodies over TLS needn't rest")
                    .isEqualTo(RECORD);
        }
    }

    private static int orZero(CompletableFuture<Integer> number) throws Exception {
        try {
            return number.get(30, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            return 0;
        }
    }

    private static int read(ConduitStreamSourceChannel channel, int most) {
        try {
            return channel.read(ByteBuffer.allocate(most));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void send(RawConnection other) {
        try {
            other.send("x");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** TLS over a connection whose reads that find nothing are counted. */
    private StreamConnection wrapped(StreamConnection connection) {
        StreamSourceConduit socket = connection.getSourceChannel().getConduit();
        connection.getSourceChannel().setConduit(new AbstractStreamSourceConduit<>(socket) {
            @Override
            public int read(ByteBuffer dst) throws IOException {
                int count = super.read(dst);
                if (count == 0) {
                    vainReads.incrementAndGet();
                }
                return count;
            }
        });
        return new UndertowXnioSsl(Xnio.getInstance(), OptionMap.EMPTY, SERVER.sslContext())
                .wrapExistingConnection(connection, OptionMap.EMPTY, false);
    }

    /** A port, and the one connection that it takes. */
    private static final class Accepted implements AutoCloseable {
        private final OneIoThread io;
        private final AcceptingChannel<StreamConnection> port;
        private final CompletableFuture<StreamConnection> connection = new CompletableFuture<>();

        /** What a connection is wrapped in. */
        interface Wrapping {
            StreamConnection of(StreamConnection connection);
        }

        private Accepted(OneIoThread io, Wrapping wrapping) throws IOException {
            this.io = io;
            ChannelListener<AcceptingChannel<StreamConnection>> accepting = channel -> {
                try {
                    StreamConnection accepted = channel.accept();
                    if (accepted != null) {
                        accepted(wrapping.of(accepted));
                    }
                } catch (IOException e) {
                    connection.completeExceptionally(e);
                }
            };
            port = io.thread()
                    .getWorker()
                    .createStreamConnectionServer(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), accepting, OptionMap.EMPTY);
            port.resumeAccepts();
        }

        static Accepted start(OneIoThread io, Wrapping wrapping) throws IOException {
            return new Accepted(io, wrapping);
        }

        private void accepted(StreamConnection made) {
            if (made instanceof SslConnection secure) {
                secure.getHandshakeSetter().set(finished -> connection.complete(secure));
                secure.getSourceChannel().setReadListener(channel -> read(channel, 1));
                secure.getSourceChannel().resumeReads();
            } else {
                connection.complete(made);
            }
        }

        int port() {
            return ((InetSocketAddress) port.getLocalAddress()).getPort();
        }

        /** Its reads, which are suspended. */
        ConduitStreamSourceChannel established() throws Exception {
            ConduitStreamSourceChannel source =
                    connection.get(30, TimeUnit.SECONDS).getSourceChannel();
            return io.call(() -> {
                source.suspendReads();
                source.setReadListener(null);
                return source;
            });
        }

        @Override
        public void close() throws IOException {
            IoUtils.safeClose(connection.getNow(null));
            port.close();
        }
    }
}
