package io.webproxy.undertow.tls;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.undertow.Undertow;
import io.undertow.server.HttpServerExchange;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.tls.Certificates;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The engines under the SslConduit that they are made for. */
@ExtendWith(LeakCheck.class)
class UndertowTlsTest {
    private static final byte[] BODY = "0123456789abcdef".repeat(20_000).getBytes(US_ASCII);

    @TempDir
    Path directory;

    private Undertow undertow;
    private SSLContext trusting;

    @BeforeEach
    void makeClient() throws Exception {
        HeldCertificate root =
                HeldCertificate.decode(Files.readString(serverKeys().resolve("self-signed.crt"))
                        + Files.readString(serverKeys().resolve("self-signed.key")));
        trusting = new HandshakeCertificates.Builder()
                .addTrustedCertificate(root.certificate())
                .build()
                .sslContext();
    }

    private Path serverKeys() {
        Path kept = directory.resolve("kept");
        if (Files.notExists(kept)) {
            ServerTls.create(List.of(Certificates.selfSigned("127.0.0.1").storedIn(kept)), TlsProvider.JDK);
        }
        return kept;
    }

    private InetSocketAddress start(TlsProvider provider) {
        ServerTls tls =
                ServerTls.create(List.of(Certificates.selfSigned("127.0.0.1").storedIn(serverKeys())), provider);
        undertow = Undertow.builder()
                .addHttpsListener(0, "127.0.0.1", tls.sslContext())
                .setIoThreads(2)
                .setWorkerThreads(2)
                .setHandler(UndertowTlsTest::answer)
                .build();
        undertow.start();
        return (InetSocketAddress) undertow.getListenerInfo().get(0).getAddress();
    }

    private static void answer(HttpServerExchange exchange) {
        // gathered with the head
        exchange.getResponseSender().send(new String(BODY, US_ASCII));
    }

    @AfterEach
    void stop() {
        if (undertow != null) {
            undertow.stop();
        }
    }

    private SSLSocket connect(InetSocketAddress address) throws IOException {
        SSLSocket socket = (SSLSocket) trusting.getSocketFactory().createSocket();
        socket.connect(address, 5000);
        socket.setSoTimeout(30_000);
        return socket;
    }

    private static void request(SSLSocket socket, String connection) throws IOException {
        OutputStream out = socket.getOutputStream();
        out.write(("GET / HTTP/1.1\r\nHost: x\r\nConnection: " + connection + "\r\n\r\n").getBytes(US_ASCII));
        out.flush();
    }

    private static long descriptors() {
        Path all = Path.of("/proc/self/fd");
        assumeTrue(Files.isDirectory(all));
        try (Stream<Path> each = Files.list(all)) {
            return each.count();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @EnumSource
    void responseComesWholeAndEndsWithAGoodBye(TlsProvider provider) throws Exception {
        InetSocketAddress address = start(provider);
        for (int i = 0; i < 5; i++) {
            try (SSLSocket socket = connect(address)) {
                request(socket, "close");
                // the JDK's socket throws where the end comes without close_notify
                byte[] response = socket.getInputStream().readAllBytes();
                assertThat(response).endsWith(BODY);
                assertThat(new String(response, 0, 15, US_ASCII)).isEqualTo("HTTP/1.1 200 OK");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void clientThatHalfClosesGetsItsResponseWhole(TlsProvider provider) throws Exception {
        InetSocketAddress address = start(provider);
        try (SSLSocket socket = connect(address)) {
            request(socket, "keep-alive");
            InputStream in = socket.getInputStream();
            byte[] response = in.readNBytes(BODY.length);
            socket.shutdownOutput();
            int rest = in.readAllBytes().length;
            assertThat(response.length + rest).isGreaterThan(BODY.length);
        }
    }

    /** Nothing that only a garbage collection would take away, however often certificates change. */
    @Test
    void certificatesTakeNoDescriptorsBeforeAConnection() {
        List<Certificates> source = List.of(Certificates.selfSigned("127.0.0.1").storedIn(serverKeys()));
        ServerTls.create(source, TlsProvider.AUTO);
        long before = descriptors();
        for (int i = 0; i < 20; i++) {
            ServerTls.create(source, TlsProvider.AUTO);
        }
        assertThat(descriptors() - before).isLessThan(10);
    }

    @Test
    void connectionsThatAreCutLeaveNoDescriptors() throws Exception {
        InetSocketAddress address = start(TlsProvider.AUTO);
        try (SSLSocket warmUp = connect(address)) {
            request(warmUp, "close");
            warmUp.getInputStream().readAllBytes();
        }
        long before = descriptors();
        for (String phase : List.of("handshake", "hello", "idle", "response", "clean")) {
            List<Socket> sockets = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                sockets.add(phase(phase, address));
            }
            for (Socket socket : sockets) {
                socket.setSoLinger(!phase.equals("clean"), 0);
                socket.close();
            }
        }
        await().untilAsserted(() -> assertThat(descriptors() - before).isLessThan(10));
    }

    private Socket phase(String phase, InetSocketAddress address) throws IOException {
        if (phase.equals("hello")) {
            Socket plain = new Socket(address.getAddress(), address.getPort());
            plain.getOutputStream().write(new byte[] {22, 3, 1, 2, 0, 1, 0});
            return plain;
        }
        SSLSocket socket = connect(address);
        socket.startHandshake();
        if (!phase.equals("handshake")) {
            request(socket, "keep-alive");
            int part = phase.equals("response") ? 100 : BODY.length;
            assertThat(socket.getInputStream().readNBytes(part)).hasSize(part);
        }
        return socket;
    }
}
