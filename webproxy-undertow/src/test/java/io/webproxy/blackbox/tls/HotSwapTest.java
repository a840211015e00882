package io.webproxy.blackbox.tls;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.HeldProvider;
import io.webproxy.testing.JdkTickets;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Peers;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.WebSocketHandshake;
import io.webproxy.tls.CertificateProvider;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.TestProxy;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Certificates that change while the server is used. */
@ExtendWith(LeakCheck.class)
class HotSwapTest {
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";
    private static final HeldCertificate OLD = leaf("old").ecdsa256().build();
    private static final HeldCertificate NEW = leaf("new").ecdsa256().build();
    private static final HeldCertificate RSA = leaf("rsa").rsa2048().build();

    @TempDir
    Path directory;

    private static HeldCertificate.Builder leaf(String name) {
        return new HeldCertificate.Builder().commonName(name).addSubjectAlternativeName("a.example");
    }

    private static KeyMaterial material(HeldCertificate leaf) {
        return HeldProvider.material(leaf);
    }

    private static SSLContext trustingAll() {
        return new HandshakeCertificates.Builder()
                .addTrustedCertificate(OLD.certificate())
                .addTrustedCertificate(NEW.certificate())
                .addTrustedCertificate(RSA.certificate())
                .build()
                .sslContext();
    }

    /**
     * Asks over a new connection; the common name of the certificate, which a resumed session has from its first
     * handshake.
     */
    private static String shown(SSLContext context, int port, String... versions) throws Exception {
        Socket plain = new Socket(InetAddress.getLoopbackAddress(), port);
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, "a.example", port, true)) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            if (versions.length > 0) {
                parameters.setProtocols(versions);
            }
            socket.setSSLParameters(parameters);
            RawConnection client = new RawConnection(socket);
            client.send("GET / HTTP/1.1¶Host: a.example¶Connection: close¶¶");
            assertThat(client.readAll()).endsWith("ok");
            X509Certificate leaf = (X509Certificate) socket.getSession().getPeerCertificates()[0];
            return leaf.getSubjectX500Principal().getName().substring(3);
        }
    }

    /** Both files at once, by a link: a look between the two would find a pair that doesn't match. */
    private void write(HeldCertificate leaf) throws Exception {
        Path files = Files.createTempDirectory(directory, "files");
        Files.writeString(files.resolve("chain.pem"), leaf.certificatePem());
        Files.writeString(files.resolve("key.pem"), leaf.privateKeyPkcs8Pem());
        Path next = Files.createSymbolicLink(directory.resolve("next"), files);
        Files.move(
                next, directory.resolve("live"), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private Certificates written() {
        return Certificates.pem(directory.resolve("live/chain.pem"), directory.resolve("live/key.pem"));
    }

    @ParameterizedTest
    @CsvSource({"H1_TLS,TLSv1.3", "H1_TLS,TLSv1.2", "H1_TLS_JDK,TLSv1.3", "H1_TLS_JDK,TLSv1.2"})
    void sessionFromBeforeTheSwapIsResumedBehindIt(Front front, String version) throws Exception {
        HeldProvider provider = new HeldProvider(material(OLD));
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(
                        front, config -> config.forward(upstream.uri()).certificates(provider))) {
            SSLContext before = trustingAll();
            assertThat(shown(before, proxy.port(), version)).isEqualTo("old");
            provider.held = List.of(material(NEW));
            assertThat(shown(trustingAll(), proxy.port(), version)).isEqualTo("new");
            assertThat(shown(before, proxy.port(), version))
                    .as("resumed")
                    .isEqualTo(isForOneChain(front) ? "new" : "old");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1_TLS", "H1_TLS_JDK"})
    void opensslResumesBehindASwapOfFiles(Front front) throws Exception {
        write(OLD);
        try (TestProxy proxy = TestProxy.start(
                front,
                config -> config.forward("http://127.0.0.1:1")
                        .certificates(written())
                        .certificateReload(Duration.ofMillis(100)))) {
            String session = directory.resolve("session").toString();
            assertThat(openssl(proxy, "-sess_out", session)).contains("New, TLSv1.2", "CN = old");
            write(NEW);
            Awaitility.await().untilAsserted(() -> assertThat(openssl(proxy)).contains("CN = new"));
            assertThat(openssl(proxy, "-sess_in", session))
                    .contains(isForOneChain(front) ? "New, TLSv1.2" : "Reused, TLSv1.2");
        }
    }

    private static boolean isForOneChain(Front front) {
        return front == Front.H1_TLS_JDK && JdkTickets.areForOneChain();
    }

    /** With TLS 1.2, whose tickets come within the handshake. */
    private static String openssl(TestProxy proxy, String... more) throws Exception {
        List<String> command = new ArrayList<>(List.of("openssl", "s_client", "-tls1_2"));
        command.addAll(List.of("-connect", "127.0.0.1:" + proxy.port(), "-servername", "a.example"));
        command.addAll(List.of(more));
        return Peers.run(Duration.ofSeconds(10), command.toArray(new String[0])).stdout();
    }

    @ParameterizedTest
    @EnumSource(names = {"H1_TLS", "H1_TLS_JDK"})
    void liveConnectionsDoNotNotice(Front front) throws Exception {
        CountDownLatch swapped = new CountDownLatch(1);
        HeldProvider provider = new HeldProvider(TestProxy.material());
        try (RawUpstream upstream = RawUpstream.start(c -> live(c, swapped));
                TestProxy proxy = TestProxy.start(
                        front, config -> config.forward(upstream.uri()).certificates(provider));
                RawConnection kept = proxy.raw();
                RawConnection socket = proxy.raw();
                RawConnection events = proxy.raw();
                Http2Client http2 = Http2Client.open(proxy)) {
            kept.send("GET / HTTP/1.1¶Host: localhost¶¶");
            assertThat(kept.readResponse()).endsWith("ok");
            http2.request(1, "GET", "/", "localhost");
            assertThat(http2.answer(1)).isEqualTo("200");
            socket.send(WebSocketHandshake.REQUEST);
            assertThat(socket.readHead()).startsWith("HTTP/1.1 101");
            events.send("GET /events HTTP/1.1¶Host: localhost¶¶");
            assertThat(events.readHead()).startsWith("HTTP/1.1 200");

            provider.held = List.of(material(NEW));
            assertThat(shown(trustingAll(), proxy.port())).isEqualTo("new");
            proxy.server().update(c -> c.certificates(provider, Certificates.selfSigned("other.example")));
            swapped.countDown();

            kept.send("GET / HTTP/1.1¶Host: localhost¶¶");
            assertThat(kept.readResponse()).endsWith("ok");
            http2.request(3, "GET", "/", "localhost");
            assertThat(http2.answer(3)).isEqualTo("200");
            socket.send("ping");
            assertThat(socket.read(4)).isEqualTo("ping");
            assertThat(events.readLine() + events.readLine()).contains("data: 1");
            assertThat(upstream.failures()).isEmpty();
        }
    }

    private static void live(RawConnection connection, CountDownLatch swapped) throws Exception {
        for (String head = connection.readHead(); !head.isEmpty(); head = connection.readHead()) {
            if (head.startsWith("GET /ws")) {
                connection.send(WebSocketHandshake.ACCEPTED);
                connection.send(connection.read(4));
                return;
            } else if (head.startsWith("GET /events")) {
                connection.send("HTTP/1.1 200 OK¶Content-Type: text/event-stream¶¶");
                swapped.await(30, TimeUnit.SECONDS);
                connection.send("data: 1\n\n");
                return;
            } else {
                connection.send(OK);
            }
        }
    }

    /**
     * Between an EC and an RSA key, also within each handshake: one of the one kind with the certificate of the other
     * would fail.
     */
    @ParameterizedTest
    @EnumSource(names = {"H1_TLS", "H1_TLS_JDK"})
    void thousandSwapsUnderHandshakesFailNone(Front front) throws Exception {
        KeyMaterial first = material(OLD);
        KeyMaterial second = material(RSA);
        AtomicInteger swaps = new AtomicInteger();
        CertificateProvider provider = hello -> swaps.incrementAndGet() % 2 == 0 ? first : second;
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(
                        front, config -> config.forward(upstream.uri()).certificates(provider))) {
            AtomicBoolean over = new AtomicBoolean();
            AtomicInteger handshakes = new AtomicInteger();
            Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
            List<Thread> clients = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                Thread client = new Thread(() -> {
                    while (!over.get()) {
                        try {
                            // a context of its own: a whole handshake
                            assertThat(shown(trustingAll(), proxy.port())).isIn("old", "rsa");
                            handshakes.incrementAndGet();
                        } catch (Exception | AssertionError e) {
                            failures.add(e);
                        }
                    }
                });
                client.start();
                clients.add(client);
            }
            Certificates other = Certificates.firstOf(provider);
            for (int i = 0; failures.isEmpty() && (swaps.get() < 1_000 || handshakes.get() < 60); i++) {
                swaps.incrementAndGet();
                Certificates next = i % 20 == 0 ? other : provider;
                if (i % 10 == 0) {
                    proxy.server().update(c -> c.certificates(next));
                }
            }
            over.set(true);
            for (Thread client : clients) {
                client.join(30_000);
            }
            assertThat(failures).isEmpty();
        }
    }

    @Test
    void filesAreNotLookedAtWhenNobodyWants() throws Exception {
        write(OLD);
        try (TestProxy proxy = TestProxy.start(
                Front.H1_TLS,
                config -> config.forward("http://127.0.0.1:1")
                        .certificates(written())
                        .certificateReload(Duration.ZERO))) {
            assertThat(proxy.server().config().certificateReload()).isZero();
            assertThat(pollers()).isEmpty();
            proxy.server().update(c -> c.certificateReload(Duration.ofMinutes(1)));
            Awaitility.await().untilAsserted(() -> assertThat(pollers()).hasSize(1));
            proxy.server().update(c -> c.certificates(Certificates.selfSigned("own.example")));
            Awaitility.await().untilAsserted(() -> assertThat(pollers()).isEmpty());
        }
    }

    private static List<Thread> pollers() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("webproxy-files"))
                .toList();
    }
}
