import io.webproxy.ProxyServer;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.route.PoolLimits;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.tls.Certificates;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * How long it takes until the upstream's connection ends when a client leaves: a table over method, request body,
 * protocol, TLS provider, phase and way of leaving. Where there is no upstream connection yet, it is the time until the
 * exchange has ended.
 *
 * <p>Arguments: a certificate and its key in PEM files, and the most milliseconds. Ends with 1 if any cell takes
 * longer.
 */
final class Departure {
    private static final int AT_ONCE = 6; // clients side by side
    private static final long SETTLE_MILLIS = 120; // to be where there is no sign of being
    private static final long GIVE_UP_MILLIS = 5_000;

    /**
     * Where the exchange is: no connection to the upstream yet, none free, no response yet, silence within it, within
     * it.
     */
    enum Phase {
        CONNECT,
        POOL,
        HEAD,
        SILENT,
        STREAM
    }

    /** How the client leaves: FIN alone, FIN after a close_notify, RST, RST_STREAM. */
    enum Way {
        FIN,
        NOTIFY,
        RST,
        STREAM
    }

    enum Body {
        NONE("", "", ""),
        EMPTY("Content-Length: 0\r\n", "", ""),
        LENGTH("Content-Length: 4\r\n", "some", "some"),
        HALF_LENGTH("Content-Length: 100\r\n", "some", "some"),
        CHUNKED("Transfer-Encoding: chunked\r\n", "4\r\nsome\r\n0\r\n\r\n", "0\r\n\r\n"),
        HALF_CHUNKED("Transfer-Encoding: chunked\r\n", "4\r\nsome\r\n4\r\nso", "so"),
        TRAILERS("Transfer-Encoding: chunked\r\nTrailer: X-End\r\n", "4\r\nsome\r\n0\r\nX-End: 1\r\n\r\n", "0\r\n"),
        EXPECT("Content-Length: 4\r\nExpect: 100-continue\r\n", "", ""),
        NONE_PIPELINED("", NEXT, ""),
        LENGTH_PIPELINED("Content-Length: 4\r\n", "some" + NEXT, "some"),
        CHUNKED_PIPELINED("Transfer-Encoding: chunked\r\n", "4\r\nsome\r\n0\r\n\r\n" + NEXT, "0\r\n\r\n");

        private final String fields;
        private final String sent;
        private final String seen;

        Body(String fields, String sent, String seen) {
            this.fields = fields;
            this.sent = sent;
            this.seen = seen;
        }

        boolean isOfHttp2() {
            return this != EXPECT && !name().endsWith("_PIPELINED");
        }
    }

    private static final String NEXT = "GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n";

    /** How a client reaches the proxy. */
    enum Front {
        H1(false, false, false),
        H1_CONSCRYPT(true, false, false),
        H1_JDK(true, false, true),
        H2_CONSCRYPT(true, true, false),
        H2_JDK(true, true, true);

        private final boolean tls;
        private final boolean http2;
        private final boolean jdk;

        Front(boolean tls, boolean http2, boolean jdk) {
            this.tls = tls;
            this.http2 = http2;
            this.jdk = jdk;
        }
    }

    /** One cell of the table. */
    private record Cell(int id, String method, Body body, Phase phase, Way way) {
        String path() {
            return "/" + phase.name().toLowerCase(java.util.Locale.ROOT) + "/" + body + "/" + id;
        }
    }

    private final SSLContext tls;
    private final Path chain;
    private final Path key;
    private final double most;
    private final Map<String, CountDownLatch> arrived = new ConcurrentHashMap<>();
    private final Map<String, CompletableFuture<Long>> ended = new ConcurrentHashMap<>();
    private final AtomicInteger ids = new AtomicInteger();
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        return thread;
    });

    private Departure(Path chain, Path key, double most) throws Exception {
        this.most = most;
        this.chain = chain;
        this.key = key;
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream in = Files.newInputStream(chain)) {
            store.setCertificateEntry(
                    "proxy", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        this.tls = SSLContext.getInstance("TLS");
        tls.init(null, trust.getTrustManagers(), null);
    }

    public static void main(String[] args) throws Exception {
        double most = Double.parseDouble(args[2]);
        Departure bench = new Departure(Path.of(args[0]), Path.of(args[1]), most);
        double worst = 0;
        int late = 0;
        int cells = 0;
        for (Front front : Front.values()) {
            for (Map.Entry<Cell, Double> result : bench.run(front).entrySet()) {
                cells++;
                worst = Math.max(worst, result.getValue());
                late += result.getValue() > most ? 1 : 0;
            }
        }
        System.out.printf("%d cells, worst %.0f ms, above %.0f ms or never: %d%n", cells, worst, most, late);
        System.exit(late == 0 ? 0 : 1);
    }

    private Map<Cell, Double> run(Front front) throws Exception {
        Map<Cell, Double> results = new ConcurrentHashMap<>();
        try (ServerSocket upstream = new ServerSocket(0, 1000, InetAddress.getLoopbackAddress());
                ServerSocket full = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            threads.execute(() -> accept(upstream));
            List<Socket> fill = fill(full);
            try (ProxyServer proxy = proxy(front, 1000, upstream, full);
                    ProxyServer pool = proxy(front, 1, upstream, full);
                    Socket holder = hold(front, pool)) {
                List<Cell> all = cells(front);
                for (int i = -AT_ONCE; i < all.size(); i += AT_ONCE) {
                    List<CompletableFuture<Void>> batch = new ArrayList<>();
                    // the first batch warms up
                    for (Cell cell : all.subList(Math.max(i, 0), Math.min(all.size(), Math.max(i, 0) + AT_ONCE))) {
                        ProxyServer through = cell.phase == Phase.POOL ? pool : proxy;
                        batch.add(CompletableFuture.runAsync(
                                () -> results.put(cell, median(front, through, cell)), threads));
                    }
                    for (CompletableFuture<Void> one : batch) {
                        one.get(1, TimeUnit.MINUTES);
                    }
                }
                print(front, results);
                holder.close();
            }
            for (Socket socket : fill) {
                socket.close();
            }
        }
        return results;
    }

    private static List<Socket> fill(ServerSocket full) throws IOException {
        List<Socket> fill = new ArrayList<>();
        while (true) {
            Socket socket = new Socket();
            fill.add(socket);
            try {
                socket.connect(full.getLocalSocketAddress(), 200);
            } catch (SocketTimeoutException e) {
                return fill;
            }
        }
    }

    private ProxyServer proxy(Front front, int connections, ServerSocket upstream, ServerSocket full) {
        var builder = ProxyServer.builder()
                .bind("127.0.0.1")
                .jdkTls(front.jdk)
                .drainTime(Duration.ZERO)
                .timeouts(TimeoutPolicy.defaults().withConnect(Duration.ofMinutes(1)))
                .tuning(t -> t.withPool(
                        PoolLimits.defaults().withConnections(connections).withQueue(1000, Duration.ofMinutes(1))))
                .forward("http://127.0.0.1:" + upstream.getLocalPort())
                .route(r -> r.path("/connect/").forward("http://127.0.0.1:" + full.getLocalPort()))
                .observer(new ProxyObserver() {
                    @Override
                    public void exchangeEnded(ExchangeRecord exchange) {
                        if (!exchange.path().matches("/(head|silent|stream)/.*")) {
                            end(exchange.path());
                        }
                    }
                });
        return (front.tls ? builder.https(0).certificates(Certificates.pem(chain, key)) : builder.http(0)).start();
    }

    private static List<String> methods(Body body) {
        return switch (body) {
            case NONE -> List.of("GET", "HEAD", "POST", "DELETE");
            case LENGTH -> List.of("GET", "POST", "PUT");
            case CHUNKED -> List.of("POST", "PATCH");
            default -> List.of("POST");
        };
    }

    private List<Cell> cells(Front front) {
        List<Cell> all = new ArrayList<>();
        for (Body body : Body.values()) {
            for (String method : methods(body)) {
                for (Phase phase : Phase.values()) {
                    boolean noBody = method.equals("HEAD") && phase.compareTo(Phase.HEAD) > 0;
                    for (Way way : Way.values()) {
                        boolean possible = switch (way) {
                            case FIN, RST -> true;
                            case NOTIFY -> front.tls;
                            case STREAM -> front.http2;
                        };
                        if (possible && !noBody && (!front.http2 || body.isOfHttp2())) {
                            all.add(new Cell(ids.incrementAndGet(), method, body, phase, way));
                        }
                    }
                }
            }
        }
        return all;
    }

    private static void print(Front front, Map<Cell, Double> results) {
        List<Cell> all = new ArrayList<>(results.keySet());
        all.sort(Comparator.comparing(Cell::body)
                .thenComparing(Cell::method)
                .thenComparing(Cell::phase)
                .thenComparing(Cell::way));
        System.out.printf("%n%s%n%-6s %-18s", front, "method", "body");
        for (Phase phase : Phase.values()) {
            System.out.printf(" | %-26s", phase);
        }
        String row = "";
        Map<Phase, StringBuilder> line = new EnumMap<>(Phase.class);
        for (Cell cell : all) {
            String title = String.format("%-6s %-18s", cell.method, cell.body);
            if (!title.equals(row)) {
                print(line);
                System.out.print(title);
                row = title;
            }
            line.computeIfAbsent(cell.phase, phase -> new StringBuilder())
                    .append(cell.way.name().toLowerCase(java.util.Locale.ROOT))
                    .append(String.format(" %.0f ", results.get(cell)));
        }
        print(line);
    }

    private static void print(Map<Phase, StringBuilder> line) {
        if (!line.isEmpty()) {
            for (Phase phase : Phase.values()) {
                System.out.printf(" | %-26s", line.getOrDefault(phase, new StringBuilder("-")));
            }
        }
        line.clear();
        System.out.println();
    }

    // --- the upstream ---

    private void accept(ServerSocket upstream) {
        while (true) {
            try {
                Socket socket = upstream.accept();
                threads.execute(() -> serve(socket));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        String path = "";
        try (socket) {
            InputStream in = socket.getInputStream();
            OutputStream out = socket.getOutputStream();
            path = until(in, "\r\n\r\n").split(" ")[1];
            Body body = Body.valueOf(path.split("/")[2]);
            boolean streams = path.startsWith("/silent/") || path.startsWith("/stream/");
            if (streams) {
                out.write(
                        ascii("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                                + "5\r\nhello\r\n"));
            }
            until(in, body.seen);
            CountDownLatch there = arrived.get(path);
            if (there != null) {
                there.countDown();
            }
            String ending = path;
            threads.execute(() -> {
                try {
                    while (in.read() >= 0) {
                        // what is left of the body
                    }
                } catch (IOException e) {
                    // reset
                }
                end(ending);
            });
            while (!ended.containsKey(path) || !ended.get(path).isDone()) {
                Thread.sleep(20);
                if (path.startsWith("/stream/")) {
                    out.write(ascii("5\r\nhello\r\n"));
                }
            }
        } catch (IOException | InterruptedException e) {
            end(path);
        }
    }

    private void end(String path) {
        CompletableFuture<Long> end = ended.get(path);
        if (end != null) {
            end.complete(System.nanoTime());
        }
    }

    private static String until(InputStream in, String token) throws IOException {
        StringBuilder all = new StringBuilder();
        while (all.indexOf(token) < 0) {
            int b = in.read();
            if (b < 0) {
                throw new IOException("ended");
            }
            all.append((char) b);
        }
        return all.toString();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    // --- the clients ---

    private Socket hold(Front front, ProxyServer pool) throws Exception {
        Cell cell = new Cell(ids.incrementAndGet(), "GET", Body.NONE, Phase.HEAD, Way.FIN);
        CountDownLatch there = new CountDownLatch(1);
        arrived.put(cell.path(), there);
        ended.put(cell.path(), new CompletableFuture<>());
        Socket tcp = new Socket(InetAddress.getLoopbackAddress(), port(pool));
        send(front, tcp, cell);
        if (!there.await(5, TimeUnit.SECONDS)) {
            throw new IOException("the pool's only connection isn't taken");
        }
        return tcp;
    }

    private static int port(ProxyServer proxy) {
        return proxy.endpoints().get(0).address().getPort();
    }

    /** Something else on the machine may make one late: what is late is measured twice more. */
    private double median(Front front, ProxyServer proxy, Cell cell) {
        double first = millis(front, proxy, cell);
        if (first <= most) {
            return first;
        }
        double[] all = {first, millis(front, proxy, another(cell)), millis(front, proxy, another(cell))};
        Arrays.sort(all);
        return all[1];
    }

    private Cell another(Cell cell) {
        return new Cell(ids.incrementAndGet(), cell.method, cell.body, cell.phase, cell.way);
    }

    private double millis(Front front, ProxyServer proxy, Cell cell) {
        CountDownLatch there = new CountDownLatch(1);
        CompletableFuture<Long> end = new CompletableFuture<>();
        arrived.put(cell.path(), there);
        ended.put(cell.path(), end);
        try (Socket tcp = new Socket(InetAddress.getLoopbackAddress(), port(proxy))) {
            tcp.setTcpNoDelay(true);
            tcp.setSoTimeout((int) GIVE_UP_MILLIS);
            Socket socket = send(front, tcp, cell);
            if (cell.phase == Phase.CONNECT || cell.phase == Phase.POOL) {
                Thread.sleep(SETTLE_MILLIS);
            } else if (!there.await(GIVE_UP_MILLIS, TimeUnit.MILLISECONDS)) {
                throw new IOException("never at the upstream: " + cell);
            }
            if (!front.http2 && cell.phase.compareTo(Phase.HEAD) > 0) {
                until(socket.getInputStream(), "hello");
            }
            Thread.sleep(cell.id % 50); // anywhere between two looks of a timer
            if (end.isDone()) {
                throw new IOException("it ended before the client left");
            }
            long left = System.nanoTime();
            switch (cell.way) {
                case FIN -> tcp.shutdownOutput();
                case NOTIFY -> ((SSLSocket) socket).close();
                case RST -> {
                    tcp.setSoLinger(true, 0);
                    tcp.close();
                }
                case STREAM -> socket.getOutputStream().write(frame(3, 0, new byte[] {0, 0, 0, 8}));
            }
            return (end.get(GIVE_UP_MILLIS, TimeUnit.MILLISECONDS) - left) / 1e6;
        } catch (Exception e) {
            System.err.println(cell + ": " + e);
            return GIVE_UP_MILLIS;
        } finally {
            end.complete(0L);
            arrived.remove(cell.path());
        }
    }

    private Socket send(Front front, Socket tcp, Cell cell) throws IOException {
        Socket socket = front.tls ? secure(tcp, front.http2 ? "h2" : "http/1.1") : tcp;
        OutputStream out = socket.getOutputStream();
        if (!front.http2) {
            out.write(ascii(cell.method + " " + cell.path() + " HTTP/1.1\r\nHost: localhost\r\n" + cell.body.fields
                    + "\r\n" + cell.body.sent));
            return socket;
        }
        out.write(ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
        out.write(frame(4, 0, new byte[0], 0));
        boolean none = cell.body == Body.NONE || cell.body == Body.EMPTY;
        out.write(frame(1, none ? 5 : 4, head(cell)));
        if (!none) {
            boolean whole = cell.body == Body.LENGTH || cell.body == Body.CHUNKED;
            out.write(frame(0, whole ? 1 : 0, ascii("some")));
        }
        if (cell.body == Body.TRAILERS) {
            out.write(frame(1, 5, fields("x-end", "1")));
        }
        if (cell.phase.compareTo(Phase.HEAD) > 0) {
            awaitFrame(socket.getInputStream(), 0);
        }
        return socket;
    }

    private SSLSocket secure(Socket tcp, String protocol) throws IOException {
        SSLSocket secure = (SSLSocket) tls.getSocketFactory().createSocket(tcp, "localhost", tcp.getPort(), true);
        SSLParameters parameters = secure.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        parameters.setApplicationProtocols(new String[] {protocol});
        secure.setSSLParameters(parameters);
        secure.startHandshake();
        return secure;
    }

    private static byte[] head(Cell cell) {
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        block.writeBytes(
                fields(":method", cell.method, ":scheme", "https", ":path", cell.path(), ":authority", "localhost"));
        switch (cell.body) {
            case EMPTY -> block.writeBytes(fields("content-length", "0"));
            case LENGTH -> block.writeBytes(fields("content-length", "4"));
            case HALF_LENGTH -> block.writeBytes(fields("content-length", "100"));
            default -> {}
        }
        return block.toByteArray();
    }

    /** RFC 7541 section 6.2.2, with names and values below 127 bytes. */
    private static byte[] fields(String... fields) {
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        for (int i = 0; i < fields.length; i++) {
            if (i % 2 == 0) {
                block.write(0);
            }
            block.write(fields[i].length());
            block.writeBytes(ascii(fields[i]));
        }
        return block.toByteArray();
    }

    private static byte[] frame(int type, int flags, byte[] payload) {
        return frame(type, flags, payload, 1);
    }

    /** RFC 9113 section 4.1. */
    private static byte[] frame(int type, int flags, byte[] payload, int stream) {
        return ByteBuffer.allocate(9 + payload.length)
                .put((byte) 0)
                .putShort((short) payload.length)
                .put((byte) type)
                .put((byte) flags)
                .putInt(stream)
                .put(payload)
                .array();
    }

    private static void awaitFrame(InputStream in, int wanted) throws IOException {
        DataInputStream frames = new DataInputStream(in);
        int type;
        do {
            int length = frames.readUnsignedByte() << 16 | frames.readUnsignedShort();
            type = frames.readUnsignedByte();
            frames.readFully(new byte[5 + length]);
        } while (type != wanted);
    }
}
