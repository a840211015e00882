package io.webproxy.undertow.testing;

import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.ServerStarts;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.RawConnection;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.undertow.server.RunningProxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import javax.net.ssl.SSLSocketFactory;
import okhttp3.ConnectionPool;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;

/**
 * A proxy on a free port of the loopback address, with a real certificate chain, its records, and clients that trust
 * it.
 */
public final class TestProxy implements AutoCloseable {
    private static final HeldCertificate ROOT = new HeldCertificate.Builder()
            .certificateAuthority(1)
            .commonName("test root")
            .build();
    private static final HeldCertificate INTERMEDIATE = new HeldCertificate.Builder()
            .certificateAuthority(0)
            .commonName("test intermediate")
            .signedBy(ROOT)
            .build();
    private static final HeldCertificate LEAF = new HeldCertificate.Builder()
            .commonName("localhost")
            .addSubjectAlternativeName("localhost")
            .addSubjectAlternativeName("127.0.0.1")
            .signedBy(INTERMEDIATE)
            .build();
    private static final HandshakeCertificates TRUST = new HandshakeCertificates.Builder()
            .addTrustedCertificate(ROOT.certificate())
            .build();
    private static final HandshakeCertificates IDENTITY = new HandshakeCertificates.Builder()
            .heldCertificate(LEAF, INTERMEDIATE.certificate())
            .build();
    /** Of one context: a client that comes again to a server resumes its session, as all clients do. */
    private static final SSLSocketFactory CLIENTS = new QuickSockets(TRUST.sslSocketFactory());

    private static final Path FILES = files();

    private final Front front;
    private final ProxyServer server;
    private final BlockingQueue<ExchangeRecord> records = new LinkedBlockingQueue<>();
    private final AtomicInteger ended = new AtomicInteger();
    private final OkHttpClient client;

    private TestProxy(Front front, Consumer<ProxyConfig.Builder> more, Function<ProxyConfig, ProxyServer> start) {
        this.front = front;
        ProxyConfig.Builder builder = ProxyServer.builder()
                .bind("127.0.0.1")
                .tuning(t -> t.withIoThreads(2))
                .drainTime(Duration.ZERO)
                .jdkTls(front.provider() == TlsProvider.JDK)
                .observer(new ProxyObserver() {
                    @Override
                    public void exchangeEnded(ExchangeRecord exchange) {
                        ended.incrementAndGet();
                        records.add(exchange);
                    }
                });
        if (front.isTls()) {
            builder.https(0).certificates(certificates());
        } else {
            builder.http(0);
        }
        more.accept(builder);
        this.server = start.apply(builder.build());
        this.client = newClient(front);
    }

    /** A proxy that forwards everything to one upstream. */
    public static TestProxy start(Front front, String upstream) {
        return start(front, builder -> builder.forward(upstream));
    }

    /** A proxy with whatever else is configured; it has its endpoint already. */
    public static TestProxy start(Front front, Consumer<ProxyConfig.Builder> more) {
        return new TestProxy(front, more, ProxyConfig::start);
    }

    /** A proxy with one IO thread, whose limits go by a clock that a test turns. */
    public static TestProxy start(Front front, TestClock clock, Consumer<ProxyConfig.Builder> more) {
        return new TestProxy(
                front,
                more.andThen(builder -> builder.tuning(t -> t.withIoThreads(1))),
                config -> ServerStarts.start(config, ordinary -> RunningProxy.start(ordinary, clock)));
    }

    private static Path files() {
        try {
            Path directory = Files.createTempDirectory("webproxy-test");
            Path chain = directory.resolve("chain.pem");
            Path key = directory.resolve("key.pem");
            Files.writeString(chain, LEAF.certificatePem() + INTERMEDIATE.certificatePem());
            Files.writeString(key, LEAF.privateKeyPkcs8Pem());
            for (Path path : List.of(key, chain, directory)) {
                path.toFile().deleteOnExit();
            }
            return directory;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The root that clients trust. */
    public static HandshakeCertificates trust() {
        return TRUST;
    }

    /** A leaf for localhost and 127.0.0.1, with its intermediate, for upstreams. */
    public static HandshakeCertificates identity() {
        return IDENTITY;
    }

    /** What a proxy serves unless it is told otherwise: the same leaf. */
    public static KeyMaterial material() {
        return KeyMaterial.of(LEAF.keyPair().getPrivate(), List.of(LEAF.certificate(), INTERMEDIATE.certificate()));
    }

    /** Where a proxy has that from unless it is told otherwise. */
    public static Certificates certificates() {
        return Certificates.pem(FILES.resolve("chain.pem"), FILES.resolve("key.pem"));
    }

    /** The root in PEM form. */
    public static String rootPem() {
        return ROOT.certificatePem();
    }

    /** Sockets of clients that trust it, and resume no session of others. */
    public static SSLSocketFactory newSockets() {
        return new QuickSockets(TRUST.sslSocketFactory());
    }

    /** A client of its own pool; the caller closes it by {@link #close(OkHttpClient)}. */
    public static OkHttpClient newClient(Front front) {
        return new OkHttpClient.Builder()
                .sslSocketFactory(newSockets(), TRUST.trustManager())
                .protocols(front.isHttp2() ? List.of(Protocol.HTTP_2, Protocol.HTTP_1_1) : List.of(Protocol.HTTP_1_1))
                .connectionPool(new ConnectionPool(8, 30, TimeUnit.SECONDS))
                .retryOnConnectionFailure(false)
                .followRedirects(false)
                .connectTimeout(Duration.ofSeconds(30))
                .writeTimeout(Duration.ofSeconds(30))
                .readTimeout(Duration.ofSeconds(30))
                .build();
    }

    public static void close(OkHttpClient client) {
        client.dispatcher().cancelAll();
        client.dispatcher().executorService().shutdown();
        client.connectionPool().evictAll();
    }

    public Front front() {
        return front;
    }

    public ProxyServer server() {
        return server;
    }

    public int port() {
        return server.endpoints().get(0).address().getPort();
    }

    /** A client that speaks what the front says. */
    public OkHttpClient client() {
        return client;
    }

    /** The response to {@code GET path} with these fields, names and values in turn; the caller closes it. */
    public Response get(String path, String... fields) throws IOException {
        Request.Builder request = new Request.Builder().url(url(path));
        for (int i = 0; i < fields.length; i += 2) {
            request.addHeader(fields[i], fields[i + 1]);
        }
        return client.newCall(request.build()).execute();
    }

    /** What a client sees of a response that a limit may cut; {@code begun} is told of the first five bytes. */
    public String outcome(Request request, CountDownLatch begun) throws IOException {
        try (Response response = client.newCall(request).execute()) {
            if (response.code() == 504) {
                return "504";
            }
            String piece = response.body().source().readUtf8(5);
            begun.countDown();
            try {
                return piece + response.body().string() + ", then an end";
            } catch (IOException e) {
                return piece + ", then an abort";
            }
        }
    }

    public HttpUrl url(String path) {
        return HttpUrl.get((front.isTls() ? "https" : "http") + "://localhost:" + port() + path);
    }

    /** A connection in bytes: in clear, or TLS with {@code http/1.1}. */
    public RawConnection raw() throws IOException {
        return front.isTls() ? tls("http/1.1") : RawConnection.open(port());
    }

    /** A connection over TLS that offers this protocol. */
    public RawConnection tls(String alpn) throws IOException {
        return RawConnection.openTls(port(), CLIENTS, alpn);
    }

    /** Waits until no exchange is in flight; WebSockets and other tunnels don't count. */
    public void awaitIdle() {
        await().until(() -> server.status().exchanges() == 0);
    }

    /** How many exchanges have ended. */
    public int ended() {
        return ended.get();
    }

    /** The record of the next exchange that ends, within 30 s. */
    public ExchangeRecord record() throws InterruptedException {
        ExchangeRecord next = records.poll(30, TimeUnit.SECONDS);
        if (next == null) {
            throw new AssertionError("no exchange has ended");
        }
        return next;
    }

    @Override
    public void close() {
        close(client);
        server.close();
    }
}
