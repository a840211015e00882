import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;

/**
 * Clients of a proxy on 127.0.0.1 before the sample service, which verify its certificates, and count what fails: requests on connections that are kept, by
 * HTTP/1.1 and HTTP/2, whole handshakes, a WebSocket that is always busy and an event stream. Each client makes up to 50 requests a second.
 */
final class Traffic {
    private static final long PAUSE_MILLIS = 20;
    /** The service sends an event each second. */
    private static final long LONGEST_SILENCE_MILLIS = 3_000;

    private final int port;
    private final Collection<? extends Certificate> roots;
    private final SSLContext tls;
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicInteger failures = new AtomicInteger();
    private final AtomicLong keptRequests = new AtomicLong();
    private final AtomicInteger keptConnections = new AtomicInteger();
    private final AtomicLong http2Requests = new AtomicLong();
    private final AtomicLong handshakes = new AtomicLong();
    private final AtomicLong echoes = new AtomicLong();
    private final AtomicLong events = new AtomicLong();
    private volatile long lastEvent;
    private volatile boolean over;

    /** Something that a client does again and again. */
    private interface Step {
        void run() throws Exception;
    }

    Traffic(int port, Path roots) throws Exception {
        this.port = port;
        try (InputStream pem = Files.newInputStream(roots)) {
            this.roots = CertificateFactory.getInstance("X.509").generateCertificates(pem);
        }
        this.tls = trusting();
    }

    /** A context without sessions of others. */
    private SSLContext trusting() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        int number = 0;
        for (Certificate root : roots) {
            store.setCertificateEntry("root " + number++, root);
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    private static SSLSocket connect(SSLContext context, String name, int port) throws IOException {
        Socket plain = new Socket(InetAddress.getLoopbackAddress(), port);
        plain.setSoTimeout(10_000);
        SSLSocketFactory factory = context.getSocketFactory();
        SSLSocket socket = (SSLSocket) factory.createSocket(plain, name, port, true);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        return socket;
    }

    /** The certificate of a whole handshake with this name. */
    X509Certificate presented(String name) throws IOException, GeneralSecurityException {
        try (SSLSocket socket = connect(trusting(), name, port)) {
            return (X509Certificate) socket.getSession().getPeerCertificates()[0];
        }
    }

    /** Whole handshakes, each with a request. */
    void handshakes(String name) {
        again("a handshake for " + name, () -> {
            try (SSLSocket socket = connect(trusting(), name, port)) {
                ask(socket, name);
                handshakes.incrementAndGet();
            }
        });
    }

    /** Requests by HTTP/1.1 on one connection; if that is lost, on another. */
    void kept(String name) {
        SSLSocket[] current = new SSLSocket[1];
        again("a request to " + name, () -> {
            if (current[0] == null) {
                keptConnections.incrementAndGet();
                current[0] = connect(tls, name, port);
            }
            try {
                ask(current[0], name);
                keptRequests.incrementAndGet();
            } catch (IOException e) {
                current[0].close();
                current[0] = null;
                throw e;
            }
        });
    }

    /** Requests by HTTP/2, of which there are always eight at a time. */
    void http2() {
        HttpClient client = HttpClient.newBuilder().sslContext(tls).build();
        HttpRequest request = HttpRequest.newBuilder(uri("https", "/api/hello"))
                .timeout(Duration.ofSeconds(10))
                .build();
        for (int i = 0; i < 8; i++) {
            again("a request by HTTP/2", () -> {
                HttpResponse<Void> answer = client.send(request, HttpResponse.BodyHandlers.discarding());
                if (answer.statusCode() != 200 || answer.version() != HttpClient.Version.HTTP_2) {
                    throw new IOException(answer.toString());
                }
                http2Requests.incrementAndGet();
            });
        }
    }

    /** An echo over one WebSocket after the other. */
    void webSocket() {
        Semaphore answers = new Semaphore(0);
        WebSocket socket = HttpClient.newBuilder()
                .sslContext(tls)
                .build()
                .newWebSocketBuilder()
                .buildAsync(uri("wss", "/echo"), new WebSocket.Listener() {
                    @Override
                    public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
                        if (data.toString().contains("still there")) {
                            answers.release();
                        }
                        from.request(1);
                        return null;
                    }
                })
                .orTimeout(10, TimeUnit.SECONDS)
                .join();
        again("the WebSocket", () -> {
            socket.sendText("still there", true).get(10, TimeUnit.SECONDS);
            if (!answers.tryAcquire(10, TimeUnit.SECONDS)) {
                throw new IOException("no echo within 10 s");
            }
            echoes.incrementAndGet();
        });
    }

    /** An event stream that may not be silent for long, and may not end. */
    void events() {
        lastEvent = System.nanoTime();
        CompletableFuture<Void> stream = HttpClient.newBuilder()
                .sslContext(tls)
                .build()
                .sendAsync(HttpRequest.newBuilder(uri("https", "/events")).build(), HttpResponse.BodyHandlers.ofLines())
                .thenAcceptAsync(
                        answer -> answer.body()
                                .filter(line -> line.startsWith("data:"))
                                .forEach(line -> {
                                    lastEvent = System.nanoTime();
                                    events.incrementAndGet();
                                }),
                        task -> daemon("events", task));
        again("the event stream", () -> {
            long silent = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - lastEvent);
            if (stream.isDone() || silent > LONGEST_SILENCE_MILLIS) {
                throw new IOException((stream.isDone() ? "ended" : "silent") + " for " + silent + " ms");
            }
        });
    }

    private URI uri(String scheme, String path) {
        return URI.create(scheme + "://127.0.0.1:" + port + path);
    }

    private void again(String what, Step step) {
        threads.add(daemon(what, () -> {
            while (!over) {
                try {
                    step.run();
                    Thread.sleep(PAUSE_MILLIS);
                } catch (Exception e) {
                    if (failures.incrementAndGet() <= 5) {
                        System.err.println(what + ": " + e);
                    }
                }
            }
        }));
    }

    private static Thread daemon(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private static void ask(SSLSocket socket, String host) throws IOException {
        socket.getOutputStream()
                .write(("GET /api/hello HTTP/1.1\r\nHost: " + host + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        byte[] piece = new byte[4096];
        while (true) {
            int read = socket.getInputStream().read(piece);
            if (read < 0) {
                throw new IOException("the connection ended within an answer, after " + answer.size() + " bytes");
            }
            answer.write(piece, 0, read);
            String text = answer.toString(StandardCharsets.ISO_8859_1);
            int head = text.indexOf("\r\n\r\n");
            if (head >= 0) {
                if (!text.startsWith("HTTP/1.1 200")) {
                    throw new IOException(text);
                }
                int length = Integer.parseInt(text.replaceAll("(?is).*content-length: *(\\d+).*", "$1"));
                if (answer.size() >= head + 4 + length) {
                    return;
                }
            }
        }
    }

    /** How much has failed so far. */
    int failures() {
        return failures.get();
    }

    /** Ends; what has come of it. */
    String end() throws InterruptedException {
        over = true;
        for (Thread thread : threads) {
            thread.join();
        }
        return String.format(
                "%d handshakes, %d requests by HTTP/1.1 on %d connections, %d by HTTP/2, %d echoes on a WebSocket, %d"
                        + " events: %d failed",
                handshakes.get(),
                keptRequests.get(),
                keptConnections.get(),
                http2Requests.get(),
                echoes.get(),
                events.get(),
                failures.get());
    }
}
