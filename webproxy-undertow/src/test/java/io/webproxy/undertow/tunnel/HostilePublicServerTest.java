package io.webproxy.undertow.tunnel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.spi.TlsProvider;
import io.webproxy.spi.TunnelKey;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawUpstream;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.tunnel.Tunnel;
import io.webproxy.undertow.sniff.TunnelMark;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Public servers that break the rules: the private side says goodbye, and dials again. */
@ExtendWith(LeakCheck.class)
@ExpectedLog(logger = "io.webproxy.tunnel", contains = "can't be connected to")
@ExpectedLog(logger = "io.webproxy.tunnel", contains = "isn't served by")
class HostilePublicServerTest {
    private static final InetSocketAddress CLIENT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 5);

    @TempDir
    private Path directory;

    private TunnelRig rig;
    private TunnelKey key;
    private SSLContext context;
    private ServerSocket server;

    @BeforeEach
    void start() throws Exception {
        rig = new TunnelRig(directory, TlsProvider.AUTO, "alice names=a.example.com");
        key = TunnelKey.create(directory, "hostile");
        KeyMaterial material = key.material();
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("own", material.key(), new char[0], material.chain().toArray(new Certificate[0]));
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, new char[0]);
        context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        server.setSoTimeout(30_000);
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
        server.close();
    }

    private void dial(String fingerprint) {
        dial(fingerprint, "127.0.0.1:1");
    }

    private PrivateSide dial(String fingerprint, String target) {
        return rig.start(Tunnel.to("127.0.0.1:" + server.getLocalPort())
                .identity(directory.resolve("alice"))
                .server(fingerprint)
                .announce("a.example.com", target));
    }

    /** A control channel that the private side has dialled. */
    private static final class Channel implements AutoCloseable {
        private final SSLSocket socket;
        private final FrameReader reader = new FrameReader();
        private ByteBuffer left = ByteBuffer.allocate(0);

        Channel(ServerSocket server, SSLContext context, String... protocols) throws IOException {
            Socket accepted = server.accept();
            socket = (SSLSocket) context.getSocketFactory()
                    .createSocket(accepted, accepted.getInetAddress().getHostAddress(), accepted.getPort(), true);
            socket.setUseClientMode(false);
            socket.setSoTimeout(30_000);
            var parameters = socket.getSSLParameters();
            parameters.setProtocols(protocols);
            parameters.setApplicationProtocols(new String[] {TunnelMark.PROTOCOL});
            socket.setSSLParameters(parameters);
        }

        Channel send(Message message) throws IOException {
            ByteBuffer frame = Frames.of(message);
            return send(Arrays.copyOf(frame.array(), frame.limit()));
        }

        Channel send(byte... bytes) throws IOException {
            socket.getOutputStream().write(bytes);
            return this;
        }

        @Nullable Message next() throws IOException {
            byte[] bytes = new byte[4096];
            while (true) {
                FrameReader.Step step = reader.feed(left);
                if (step instanceof FrameReader.Step.Whole whole) {
                    return whole.message();
                }
                int read = socket.getInputStream().read(bytes);
                if (read < 0) {
                    return null;
                }
                left = ByteBuffer.wrap(bytes.clone(), 0, read);
            }
        }

        String goodbye() throws IOException {
            Message message = Objects.requireNonNull(next(), "the end");
            while (!(message instanceof Message.Goodbye)) {
                message = Objects.requireNonNull(next(), "the end");
            }
            return ((Message.Goodbye) message).text();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    @Test
    void brokenMessagesAreAnsweredWithAGoodbyeAndDialledAgain() throws Exception {
        dial(key.fingerprint());
        List<byte[]> broken = List.of(
                new byte[] {-1, -1, -1, -1},
                new byte[] {0, 0, 0, 0},
                new byte[] {0, 0, 0, 1, 99},
                Frames.of(new Message.Welcome(99, 0, "a", "b")).array(),
                Frames.of(new Message.Ready(1, new byte[32])).array());
        for (byte[] bytes : broken) {
            try (Channel channel = new Channel(server, context, "TLSv1.3")) {
                assertThat(channel.next()).isInstanceOf(Message.Hello.class);
                channel.send(bytes);
                assertThat(channel.goodbye()).isNotEmpty();
            }
        }
    }

    @Test
    void oneIdForTwoConnectionsEndsTheChannel() throws Exception {
        dial(key.fingerprint());
        try (Channel channel = new Channel(server, context, "TLSv1.3")) {
            assertThat(channel.next()).isInstanceOf(Message.Hello.class);
            channel.send(new Message.Welcome(1, 0, "alice", "hostile"));
            channel.send(new Message.Ready(7, new byte[32])).send(new Message.Ready(7, new byte[32]));
            assertThat(channel.goodbye()).isEqualTo("one id for two connections");
        }
    }

    @Test
    void whatIsNotAnnouncedIsRefusedAndUnknownIdsHurtNobody() throws Exception {
        dial(key.fingerprint());
        try (Channel channel = new Channel(server, context, "TLSv1.3")) {
            assertThat(channel.next()).isInstanceOf(Message.Hello.class);
            channel.send(new Message.Welcome(1, 0, "alice", "hostile"));
            assertThat(channel.next()).isInstanceOf(Message.Announce.class);
            Message.Visitor visitor =
                    new Message.Visitor(Message.Item.name("other.example.com"), "other.example.com", CLIENT, CLIENT);
            channel.send(new Message.Connect(1, new byte[32], visitor));
            assertThat(channel.next()).isEqualTo(new Message.Refuse(1, "it isn't announced here"));
            channel.send(new Message.Use(2, visitor));
            assertThat(channel.next()).isEqualTo(new Message.Refuse(2, "that ready connection is gone"));
            channel.send(new Message.Drop(3)).send(new Message.Ping(4));
            assertThat(channel.next()).isEqualTo(new Message.Pong(4));
        }
    }

    @Test
    void dataConnectionThatIsRefusedIsLeftToTheServerToClose() throws Exception {
        dial(key.fingerprint());
        try (Channel channel = new Channel(server, context, "TLSv1.3")) {
            assertThat(channel.next()).isInstanceOf(Message.Hello.class);
            channel.send(new Message.Welcome(1, 0, "alice", "hostile"));
            assertThat(channel.next()).isInstanceOf(Message.Announce.class);
            channel.send(new Message.Ready(1, new byte[32]));
            try (Socket data = server.accept()) {
                data.setSoTimeout(30_000);
                assertThat(data.getInputStream().readNBytes(DataHello.LENGTH)).hasSize(DataHello.LENGTH);
                channel.send(new Message.Use(
                        1, new Message.Visitor(Message.Item.name("a.example.com"), "a.example.com", CLIENT, CLIENT)));
                assertThat(channel.next()).isEqualTo(new Message.Refuse(1, "its target can't be reached"));
                // its end would have come with the refusal
                data.setSoTimeout(200);
                assertThatThrownBy(() -> data.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void clientThatIsAskedForWhileItLeavesIsConnected(boolean back) throws Exception {
        try (RawUpstream target = RawUpstream.echoing("target")) {
            PrivateSide side = dial(key.fingerprint(), "127.0.0.1:" + target.port());
            try (Channel channel = new Channel(server, context, "TLSv1.3")) {
                assertThat(channel.next()).isInstanceOf(Message.Hello.class);
                channel.send(new Message.Welcome(1, 0, "alice", "server"));
                assertThat(channel.next()).isInstanceOf(Message.Announce.class);
                side.leave(back);
                if (!back) {
                    assertThat(channel.next())
                            .isEqualTo(new Message.Withdraw(List.of(Message.Item.name("a.example.com"))));
                }
                Message.Ping ping = (Message.Ping) Objects.requireNonNull(channel.next());
                // it was asked for before the server has read that
                channel.send(new Message.Connect(
                        1,
                        new byte[32],
                        new Message.Visitor(Message.Item.name("a.example.com"), "a.example.com", CLIENT, CLIENT)));
                channel.send(new Message.Pong(ping.number()));
                try (Socket connected = server.accept()) {
                    byte[] hello = connected.getInputStream().readNBytes(DataHello.LENGTH + 1);
                    assertThat(hello[DataHello.LENGTH]).isEqualTo(DataHello.ACKNOWLEDGED);
                    Message.Goodbye goodbye = (Message.Goodbye) Objects.requireNonNull(channel.next());
                    assertThat(goodbye.code()).isEqualTo(back ? Message.Goodbye.BACK_SOON : 0);
                    assertThat(connected.getInputStream().readNBytes(8))
                            .isEqualTo("target\r\n".getBytes(StandardCharsets.US_ASCII));
                }
            }
        }
    }

    @Test
    void serverWithAnotherKeyHearsNothing() throws Exception {
        dial("sha256:" + "0".repeat(64));
        try (Channel channel = new Channel(server, context, "TLSv1.3")) {
            String heard;
            try {
                heard = String.valueOf(channel.next());
            } catch (SSLException e) {
                heard = "alert";
            }
            assertThat(heard).isIn("alert", "null");
        }
    }

    @Test
    void serverWithoutTls13IsNotSpokenTo() throws Exception {
        dial(key.fingerprint());
        try (Channel channel = new Channel(server, context, "TLSv1.2")) {
            String heard;
            try {
                heard = String.valueOf(channel.next());
            } catch (IOException e) {
                heard = "alert";
            }
            assertThat(heard).isEqualTo("alert");
        }
    }
}
