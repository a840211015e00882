import io.webproxy.ProxyServer;
import io.webproxy.http.HttpLimits;
import io.webproxy.route.Balancing;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.tls.Certificates;
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
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * A server that is changed, or closed, under load. Arguments: {@code swaps}, {@code updates} (which runs wrk) or
 * {@code closes}, the upstream's URI, a directory with {@code a.pem}, {@code a.key}, {@code b.pem} and {@code b.key},
 * and how many times. Ends with 1 when a handshake, a request or a stream was lost.
 */
public final class Changes {
    private static final int STREAMS = 50;
    private static final int CLIENTS = 4;

    private final String upstream;
    private final Path directory;
    private final SSLContext tls;
    private final AtomicInteger failures = new AtomicInteger();
    private final AtomicLong served = new AtomicLong();

    private Changes(String upstream, Path directory) throws Exception {
        this.upstream = upstream.replaceAll("/$", "");
        this.directory = directory;
        this.tls = trusting(directory.resolve("a.pem"), directory.resolve("b.pem"));
    }

    public static void main(String[] args) throws Exception {
        Changes changes = new Changes(args[1], Path.of(args[2]));
        int times = Integer.parseInt(args[3]);
        boolean ok = switch (args[0]) {
            case "swaps" -> changes.swaps(times);
            case "updates" -> changes.updates(times);
            default -> changes.closes(times);
        };
        System.exit(ok ? 0 : 1);
    }

    private static SSLContext trusting(Path... certificates) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        for (Path certificate : certificates) {
            try (InputStream pem = Files.newInputStream(certificate)) {
                store.setCertificateEntry(
                        certificate.toString(),
                        CertificateFactory.getInstance("X.509").generateCertificate(pem));
            }
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    private ProxyServer start() {
        return ProxyServer.builder()
                .bind("127.0.0.1")
                .https(0)
                .certificates(Certificates.pem(directory.resolve("a.pem"), directory.resolve("a.key")))
                .forward(upstream)
                .drainTime(Duration.ofSeconds(20))
                .start();
    }

    private void failed(String what, Throwable why) {
        if (failures.incrementAndGet() <= 5) {
            System.err.println(what + ": " + why);
        }
    }

    private boolean swaps(int times) throws Exception {
        ProxyServer proxy = start();
        URI uri = proxy.uri();
        HttpClient client = HttpClient.newBuilder().sslContext(tls).build();
        List<Stream> streams = new ArrayList<>();
        for (int i = 0; i < STREAMS; i++) {
            streams.add(new Stream(client, uri));
        }
        AtomicBoolean over = new AtomicBoolean();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            Thread thread = new Thread(() -> {
                while (!over.get()) {
                    try {
                        // a context of its own: a whole handshake each time
                        handshakeAndAsk(uri, trusting(directory.resolve("a.pem"), directory.resolve("b.pem")));
                        served.incrementAndGet();
                    } catch (Exception e) {
                        failed("a client", e);
                    }
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (int i = 0; i < times; i++) {
            String name = i % 2 == 0 ? "b" : "a";
            String path = "/other" + i % 3;
            proxy.update(c -> c.certificates(
                            Certificates.pem(directory.resolve(name + ".pem"), directory.resolve(name + ".key")))
                    .route(r -> r.name("other").path(path).forward(upstream)));
        }
        over.set(true);
        for (Thread thread : threads) {
            thread.join();
        }
        int lost = 0;
        for (Stream stream : streams) {
            lost += stream.isAlive() ? 0 : 1;
        }
        proxy.drain(Duration.ZERO).toCompletableFuture().join();
        boolean ok = failures.get() == 0 && served.get() > 0 && lost == 0;
        System.out.printf(
                "%d swaps of certificate and routes: %d handshakes with a request, %d failed; %d of %d streams lost:"
                        + " %s%n",
                times, served.get(), failures.get(), lost, 2 * STREAMS, ok ? "ok" : "NOT OK");
        return ok;
    }

    /** Everything but the one route that wrk, the WebSockets and the event streams use. */
    private boolean updates(int times) throws Exception {
        ProxyServer proxy = start();
        URI uri = proxy.uri();
        HttpClient client = HttpClient.newBuilder().sslContext(tls).build();
        List<Stream> streams = new ArrayList<>();
        for (int i = 0; i < STREAMS; i++) {
            streams.add(new Stream(client, uri));
        }
        Path printed = directory.resolve("wrk");
        Process wrk = new ProcessBuilder("wrk", "-t1", "-c25", "-d300s", uri + "api/hello")
                .redirectErrorStream(true)
                .redirectOutput(printed.toFile())
                .start();
        long start = System.nanoTime();
        for (int i = 0; i < times; i++) {
            int turn = i;
            proxy.update(c -> {
                c.withoutAuthentication()
                        .timeouts(TimeoutPolicy.defaults().withConnect(Duration.ofSeconds(1 + turn % 9)))
                        .tuning(t -> t.withHttp(HttpLimits.defaults().withRequestBodyBytes(1_000_000 + turn)))
                        .route(r -> r.name("other")
                                .path("/other" + turn % 3 + "/")
                                .stripPrefix()
                                .forward(UpstreamGroup.of(upstream, "http://127.0.0.1:" + (1 + turn % 5))
                                        .balancing(Balancing.leastConnections())));
                if (turn % 2 == 0) {
                    c.route(r -> r.name("now and then").host("then.example.com").forward(upstream));
                } else {
                    c.removeRoute("now and then");
                }
                if (turn % 20 == 0) {
                    c.http(0);
                } else if (turn % 20 == 10) {
                    c.removeEndpoint("http-0");
                }
            });
            // over ten seconds at least, so that there is load beside all of them
            Thread.sleep(10);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        new ProcessBuilder("kill", "-INT", Long.toString(wrk.pid())).start().waitFor();
        wrk.waitFor();
        String report = Files.readString(printed);
        long requests = Long.parseLong(report.replaceAll("(?s).*?(\\d+) requests in.*", "$1"));
        boolean errors = report.contains("Socket errors") || report.contains("Non-2xx");
        if (errors) {
            System.err.println(report);
        }
        int lost = 0;
        for (Stream stream : streams) {
            lost += stream.isAlive() ? 0 : 1;
        }
        proxy.drain(Duration.ZERO).toCompletableFuture().join();
        boolean ok = !errors && requests > 0 && lost == 0;
        System.out.printf(
                "%d updates in %.1f s: %d requests of wrk, %s; %d of %d streams lost: %s%n",
                times, seconds, requests, errors ? "SOME FAILED" : "0 failed", lost, 2 * STREAMS, ok ? "ok" : "NOT OK");
        return ok;
    }

    private void handshakeAndAsk(URI uri, SSLContext context) throws IOException {
        try (Socket socket = context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), uri.getPort())) {
            socket.setSoTimeout(10_000);
            ((SSLSocket) socket).startHandshake();
            ask(socket, "/api/hello", true);
        }
    }

    private static void ask(Socket socket, String path, boolean close) throws IOException {
        socket.getOutputStream()
                .write(("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + (close ? "Connection: close\r\n" : "")
                                + "\r\n")
                        .getBytes(StandardCharsets.US_ASCII));
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        byte[] piece = new byte[4096];
        for (int read = socket.getInputStream().read(piece);
                read > 0;
                read = socket.getInputStream().read(piece)) {
            answer.write(piece, 0, read);
            String text = answer.toString(StandardCharsets.ISO_8859_1);
            int head = text.indexOf("\r\n\r\n");
            if (head >= 0 && !close) {
                int length = Integer.parseInt(text.replaceAll("(?is).*content-length: *(\\d+).*", "$1"));
                if (answer.size() >= head + 4 + length) {
                    break;
                }
            }
        }
        if (!answer.toString(StandardCharsets.ISO_8859_1).startsWith("HTTP/1.1 200")) {
            throw new IOException(answer.size() == 0 ? "no answer" : answer.toString(StandardCharsets.ISO_8859_1));
        }
    }

    /** A WebSocket and an event stream that live all the time. */
    private static final class Stream implements WebSocket.Listener {
        private final WebSocket socket;
        private final CompletableFuture<Void> events;
        private final AtomicLong eventsSeen = new AtomicLong();
        private volatile CompletableFuture<String> echo = new CompletableFuture<>();

        Stream(HttpClient client, URI uri) {
            socket = client.newWebSocketBuilder()
                    .buildAsync(URI.create("wss://localhost:" + uri.getPort() + "/echo"), this)
                    .orTimeout(10, TimeUnit.SECONDS)
                    .join();
            HttpRequest request = HttpRequest.newBuilder(URI.create("https://localhost:" + uri.getPort() + "/events"))
                    .build();
            events = client.sendAsync(request, HttpResponse.BodyHandlers.ofLines())
                    .thenAcceptAsync(answer -> answer.body().forEach(line -> eventsSeen.incrementAndGet()), task -> {
                        Thread thread = new Thread(task, "events");
                        thread.setDaemon(true);
                        thread.start();
                    });
        }

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
            echo.complete(data.toString());
            from.request(1);
            return null;
        }

        boolean isAlive() throws Exception {
            echo = new CompletableFuture<>();
            socket.sendText("still there", true);
            String answer;
            try {
                answer = echo.get(10, TimeUnit.SECONDS);
            } catch (java.util.concurrent.TimeoutException e) {
                answer = "";
            }
            long before = eventsSeen.get();
            for (int i = 0; i < 50 && eventsSeen.get() == before; i++) {
                Thread.sleep(100);
            }
            return answer.contains("still there") && !events.isDone() && eventsSeen.get() > before;
        }
    }

    /**
     * In flight when the server closes: 8 requests that take half a second, and others one behind the other on
     * connections that are kept.
     */
    private boolean closes(int times) throws Exception {
        long retried = 0;
        AtomicInteger across = new AtomicInteger();
        for (int i = 0; i < times; i++) {
            ProxyServer proxy = start();
            URI uri = proxy.uri();
            CountDownLatch begun = new CountDownLatch(2 * CLIENTS);
            AtomicBoolean closed = new AtomicBoolean();
            AtomicInteger between = new AtomicInteger();
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < 2 * CLIENTS; t++) {
                boolean slow = t % 2 == 0;
                Thread thread = new Thread(() -> load(uri, slow, begun, closed, between, across));
                thread.start();
                threads.add(thread);
            }
            if (!begun.await(30, TimeUnit.SECONDS)) {
                throw new IOException("clients can't connect");
            }
            Thread.sleep(100);
            closed.set(true);
            proxy.close();
            for (Thread thread : threads) {
                thread.join();
            }
            retried += between.get();
        }
        boolean ok = failures.get() == 0 && across.get() >= times;
        System.out.printf(
                "%d closes under load: %d requests answered, %d of them begun before a close and answered behind it,"
                        + " %d lost in flight; %d came to a connection that had ended: %s%n",
                times, served.get(), across.get(), failures.get(), retried, ok ? "ok" : "NOT OK");
        return ok;
    }

    private void load(
            URI uri,
            boolean slow,
            CountDownLatch begun,
            AtomicBoolean closed,
            AtomicInteger between,
            AtomicInteger across) {
        boolean first = true;
        while (true) {
            try (Socket socket = tls.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), uri.getPort())) {
                socket.setSoTimeout(15_000);
                ((SSLSocket) socket).startHandshake();
                while (true) {
                    if (first) {
                        first = false;
                        begun.countDown();
                    }
                    boolean before = !closed.get();
                    try {
                        ask(socket, slow ? "/slow?ms=500" : "/api/hello", false);
                        served.incrementAndGet();
                        across.addAndGet(before && closed.get() ? 1 : 0);
                    } catch (IOException | RuntimeException e) {
                        if (before) {
                            failed("in flight", e);
                        } else {
                            between.incrementAndGet();
                        }
                        break;
                    }
                }
            } catch (IOException e) {
                // no new connections: that is what closing means
            }
            if (closed.get()) {
                return;
            }
        }
    }
}
