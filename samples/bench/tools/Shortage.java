import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * Takes from a proxy what it needs, and looks how soon it serves again: for {@code shortage.sh}. Arguments: the jar, the java command, a certificate and its key, a
 * directory for logs, then cases such as {@code streams:1024:cold:tls}; prints a line for each and ends with 1 if one breaks the rule.
 */
public final class Shortage {
    private static final Duration SERVED_WITHIN = Duration.ofSeconds(1);

    /** So full a heap is short: what is left has to do for all garbage. */
    private static final int SHORT_PERCENT = 75;

    /** What is used after a collection, and how large the heap is, in MiB. */
    private static final Pattern COLLECTION = Pattern.compile("->(\\d+)M\\((\\d+)M\\)");

    private final String jar;
    private final String java;
    private final Path cert;
    private final Path key;
    private final Path logs;
    private final SSLContext tls;
    private final ServerSocket upstream;
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(null, task, "shortage", 64 * 1024);
        thread.setDaemon(true);
        return thread;
    });
    private volatile boolean holding;
    private volatile Process proxy;
    private volatile Process gateway;
    private String target;
    private int port;
    private int descriptors;
    private boolean secure;
    private final AtomicInteger turnedAway = new AtomicInteger();
    private final List<AutoCloseable> taken = Collections.synchronizedList(new ArrayList<>());

    private Shortage(String[] args) throws Exception {
        jar = args[0];
        java = args[1];
        cert = Path.of(args[2]);
        key = Path.of(args[3]);
        logs = Path.of(args[4]);
        KeyStore trust = KeyStore.getInstance(KeyStore.getDefaultType());
        trust.load(null, null);
        try (InputStream in = Files.newInputStream(cert)) {
            trust.setCertificateEntry(
                    "proxy", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(trust);
        tls = SSLContext.getInstance("TLS");
        tls.init(null, factory.getTrustManagers(), null);
        upstream = new ServerSocket(0, 4096, InetAddress.getLoopbackAddress());
        threads.execute(this::serve);
    }

    public static void main(String[] args) throws Exception {
        Shortage all = new Shortage(args);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            for (Process each : new Process[] {all.proxy, all.gateway}) {
                if (each != null) {
                    each.destroyForcibly();
                }
            }
        }));
        boolean good = true;
        System.out.printf(
                "%-28s %8s %8s %8s %9s %9s %9s %9s  %s%n",
                "case", "taken", "open", "heap", "refused", "during", "after ms", "sigterm", "verdict");
        for (int i = 5; i < args.length; i++) {
            good &= all.run(args[i]);
        }
        System.exit(good ? 0 : 1);
    }

    /** kind:limit:cold|warm:plain|tls[:h2c], where the limit is one of descriptors, or the heap for idle and transfers; h2c is what the upstream speaks then. */
    private boolean run(String name) throws Exception {
        String[] parts = name.split(":");
        String kind = parts[0];
        boolean heap = kind.equals("idle") || kind.equals("transfers");
        secure = parts[3].equals("tls");
        target = parts.length == 5 ? gateway() : "http://127.0.0.1:" + upstream.getLocalPort();
        start(name, heap ? "-Xmx" + parts[1] : "-Xmx256m", heap ? 20_000 : Integer.parseInt(parts[1]));
        if (parts[2].equals("warm")) {
            for (int i = 0; i < 20; i++) {
                status("/", 5_000);
            }
        }
        int during = 0;
        switch (kind) {
            case "clients" -> during = clients(Integer.parseInt(parts[1]));
            case "streams" -> during = streams(Integer.parseInt(parts[1]));
            case "elsewhere" -> during = elsewhere();
            case "idle" -> during = idle(6_000);
            case "transfers" -> during = transfers(2_000);
            default -> throw new IllegalArgumentException(name);
        }
        int took = taken.size();
        int most = open();
        String refused = refused(name);
        int fullest = heap ? fullest(name) : 0;
        holding = false;
        for (AutoCloseable each : taken) {
            try {
                each.close();
            } catch (Exception e) {
                // gone already
            }
        }
        taken.clear();
        long end = System.nanoTime();
        long after = -1;
        while (after < 0 && System.nanoTime() - end < 30_000_000_000L && proxy.isAlive()) {
            if (status("/", 1_000) == 200) {
                after = (System.nanoTime() - end) / 1_000_000;
            }
        }
        long asked = System.nanoTime();
        // SIGTERM; all is idle, so the drain needs no time
        proxy.destroy();
        boolean ended = proxy.waitFor(10, TimeUnit.SECONDS);
        long sigterm = (System.nanoTime() - asked) / 1_000_000;
        if (!ended) {
            proxy.destroyForcibly().waitFor();
        }
        // where nothing was short, nothing is shown
        boolean shown = took > 0
                && (heap
                        ? !refused.equals("none") || fullest >= SHORT_PERCENT
                        : kind.equals("elsewhere") || most >= Integer.parseInt(parts[1]) / 4);
        boolean good = shown
                && after >= 0
                && after <= SERVED_WITHIN.toMillis()
                && ended
                && (!kind.equals("streams") || !secure || during > 0);
        System.out.printf(
                "%-28s %8d %8d %8s %9s %9s %9s %9s  %s%n",
                name,
                took,
                most,
                heap ? fullest + "%" : "-",
                refused,
                during == 0 ? "none" : String.valueOf(during),
                after < 0 ? "never" : after,
                ended ? sigterm : "ignored",
                good ? "ok" : shown ? "NOT OK" : "NOT OK: nothing was short");
        return good;
    }

    private void start(String name, String heap, int most) throws Exception {
        descriptors = most;
        turnedAway.set(0);
        List<String> command = new ArrayList<>(List.of(
                "sh",
                "-c",
                "ulimit -n " + descriptors + " && exec \"$@\"",
                "sh",
                java,
                heap,
                "-Xlog:gc:file=" + log(name, "gc"),
                "-jar",
                jar,
                "expose",
                "--to",
                target,
                "--bind",
                "127.0.0.1",
                "--external-port",
                "0"));
        command.addAll(secure ? List.of("--cert", cert.toString(), "--key", key.toString()) : List.of("--plain"));
        proxy = new ProcessBuilder(command)
                .redirectError(log(name, "err").toFile())
                .start();
        port = ready(proxy);
    }

    private static int ready(Process started) throws IOException {
        BufferedReader out =
                new BufferedReader(new InputStreamReader(started.getInputStream(), StandardCharsets.UTF_8));
        String line = out.readLine();
        if (line == null || !line.startsWith("ready ")) {
            throw new IOException("the proxy did not start: " + line);
        }
        return URI.create(line.substring(6)).getPort();
    }

    /** The upstream by HTTP/2: another proxy before it, which is short of nothing. */
    private String gateway() throws IOException {
        if (gateway != null) {
            gateway.destroyForcibly();
        }
        List<String> command = List.of(java, "-Xmx256m", "-jar", jar, "expose", "--plain", "--bind", "127.0.0.1");
        List<String> ports = List.of("--to", "http://127.0.0.1:" + upstream.getLocalPort(), "--external-port", "0");
        gateway = new ProcessBuilder(
                        Stream.concat(command.stream(), ports.stream()).toList())
                .redirectError(logs.resolve("gateway.err").toFile())
                .start();
        return "h2c://127.0.0.1:" + ready(gateway);
    }

    private Path log(String name, String kind) {
        return logs.resolve(name.replace(':', '-') + "." + kind);
    }

    /** What the proxy turned away: connections, as it says itself, or requests, which get 503. */
    private String refused(String name) throws IOException {
        boolean connections = Files.readString(log(name, "err")).contains("Refusing connections: ");
        int requests = turnedAway.get();
        return connections ? "clients" : requests > 0 ? requests + "x503" : "none";
    }

    /** How full the heap was at most when garbage had just been collected, in percent. */
    private int fullest(String name) throws IOException {
        int most = 0;
        Matcher collection = COLLECTION.matcher(Files.readString(log(name, "gc")));
        while (collection.find()) {
            most = Math.max(most, Integer.parseInt(collection.group(1)) * 100 / Integer.parseInt(collection.group(2)));
        }
        return most;
    }

    // --- what is taken ---

    /** Clients that connect, send the begin of something, and say no more; a new one comes in between. */
    private int clients(int limit) throws Exception {
        byte[] begin = secure ? hello() : "GET / HTTP/1.1\r\nHost: localhost\r\n".getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < limit + 200; i++) {
            try {
                Socket socket = connect();
                socket.getOutputStream().write(begin);
                taken.add(socket);
            } catch (IOException e) {
                // refused or reset: there is no room
            }
        }
        return probe(3);
    }

    /** Requests whose upstream holds the answer back: over TLS by HTTP/2 with 128 streams each. */
    private int streams(int limit) throws Exception {
        holding = true;
        if (secure) {
            for (int c = 0; c < Math.max(2, limit / 128 + 3); c++) {
                HttpClient client = HttpClient.newBuilder()
                        .sslContext(tls)
                        .version(HttpClient.Version.HTTP_2)
                        .build();
                try {
                    client.send(request("/"), HttpResponse.BodyHandlers.discarding());
                } catch (IOException e) {
                    continue;
                }
                for (int i = 0; i < 120; i++) {
                    CompletableFuture<?> answer =
                            client.sendAsync(request("/slow"), HttpResponse.BodyHandlers.discarding());
                    taken.add(() -> answer.cancel(true));
                }
            }
        } else {
            for (int i = 0; i < limit; i++) {
                try {
                    Socket socket = connect();
                    socket.getOutputStream()
                            .write("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                    taken.add(socket);
                } catch (IOException e) {
                    // refused or reset: there is no room
                }
            }
        }
        return probe(5);
    }

    private HttpRequest request(String path) {
        return HttpRequest.newBuilder(URI.create("https://localhost:" + port + path))
                .timeout(Duration.ofSeconds(30))
                .build();
    }

    /** The rest of the process takes all descriptors but a few, for some seconds: made so by a lower limit. */
    private int elsewhere() throws Exception {
        int answered = 0;
        for (int spare : new int[] {0, 1, 2, 3, 4, 6, 8}) {
            int open = open();
            limit(open + spare);
            answered += probe(1);
            limit(descriptors);
        }
        // long enough for a rest that grows
        limit(open());
        for (int i = 0; i < 40; i++) {
            taken.add(connect());
        }
        Thread.sleep(8_000);
        answered += probe(1);
        limit(descriptors);
        return answered;
    }

    private int open() {
        String[] open = new File("/proc/" + proxy.pid() + "/fd").list();
        return open == null ? 0 : open.length;
    }

    private void limit(int descriptors) throws Exception {
        int status = new ProcessBuilder(
                        "prlimit", "--pid", String.valueOf(proxy.pid()), "--nofile=" + descriptors + ":")
                .inheritIO()
                .start()
                .waitFor();
        if (status != 0) {
            throw new IOException("prlimit ended with " + status);
        }
    }

    /** Connections of one client that have made their handshake and say no more. */
    private int idle(int count) throws Exception {
        AtomicInteger left = new AtomicInteger(count);
        List<CompletableFuture<Void>> all = new ArrayList<>();
        for (int t = 0; t < 8; t++) {
            all.add(CompletableFuture.runAsync(
                    () -> {
                        while (left.getAndDecrement() > 0 && proxy.isAlive()) {
                            try {
                                Socket socket = connect();
                                taken.add(socket);
                                taken.add(secure ? handshaken(socket) : socket);
                            } catch (IOException e) {
                                // refused or reset: there is no room
                            }
                        }
                    },
                    threads));
        }
        try {
            CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0])).get(60, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            // the proxy is stuck: what comes next shows that
            left.set(0);
        }
        return probe(5);
    }

    /** Downloads without end of which nothing but the status is read. */
    private int transfers(int count) throws Exception {
        List<Socket> downloads = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            try {
                Socket socket = connect();
                taken.add(socket);
                Socket over = secure ? handshaken(socket) : socket;
                over.getOutputStream()
                        .write("GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                downloads.add(over);
            } catch (IOException e) {
                // refused or reset: there is no room
            }
        }
        Thread.sleep(3_000);
        long enough = System.nanoTime() + 20_000_000_000L;
        for (Socket download : downloads) {
            try {
                if (System.nanoTime() > enough) {
                    break;
                }
                download.setSoTimeout(100);
                if (new String(download.getInputStream().readNBytes(12), StandardCharsets.US_ASCII).endsWith(" 503")) {
                    turnedAway.incrementAndGet();
                }
            } catch (IOException e) {
                // cut, or no answer
            }
        }
        return probe(5);
    }

    /** How many of some new clients are answered, whatever with, within a second each. */
    private int probe(int clients) throws Exception {
        int answered = 0;
        for (int i = 0; i < clients; i++) {
            if (status("/", 1_000) > 0) {
                answered++;
            }
            Thread.sleep(200);
        }
        return answered;
    }

    // --- clients ---

    private Socket connect() throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(16 * 1024);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1_000);
        socket.setSoTimeout(1_000);
        return socket;
    }

    private SSLSocket handshaken(Socket socket) throws IOException {
        SSLSocket over = (SSLSocket) tls.getSocketFactory().createSocket(socket, "localhost", port, true);
        over.startHandshake();
        return over;
    }

    private byte[] hello() throws Exception {
        SSLEngine engine = tls.createSSLEngine("localhost", port);
        engine.setUseClientMode(true);
        ByteBuffer out = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(ByteBuffer.allocate(0), out);
        byte[] hello = new byte[out.flip().remaining()];
        out.get(hello);
        return hello;
    }

    /** The status that a new client gets, -1 for none in time. */
    private int status(String path, int millis) {
        long end = System.nanoTime() + millis * 1_000_000L;
        try (Socket socket = connect();
                Socket over = secure ? handshaken(socket) : socket) {
            over.setSoTimeout((int) Math.max(1, (end - System.nanoTime()) / 1_000_000));
            over.getOutputStream()
                    .write(("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            byte[] line = over.getInputStream().readNBytes(12);
            return line.length < 12 ? -1 : Integer.parseInt(new String(line, 9, 3, StandardCharsets.US_ASCII));
        } catch (IOException | NumberFormatException e) {
            return -1;
        }
    }

    // --- the upstream ---

    private void serve() {
        while (true) {
            try {
                Socket socket = upstream.accept();
                threads.execute(() -> answer(socket));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void answer(Socket socket) {
        try (socket) {
            InputStream in = socket.getInputStream();
            OutputStream out = socket.getOutputStream();
            for (String head = head(in); !head.isEmpty(); head = head(in)) {
                if (head.startsWith("GET /endless ")) {
                    out.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
                    byte[] chunk = new byte[8192];
                    while (true) {
                        out.write("2000\r\n".getBytes(StandardCharsets.US_ASCII));
                        out.write(chunk);
                        out.write("\r\n".getBytes(StandardCharsets.US_ASCII));
                    }
                }
                for (int i = 0; head.startsWith("GET /slow ") && holding && i < 300; i++) {
                    Thread.sleep(100);
                }
                out.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".getBytes(StandardCharsets.US_ASCII));
            }
        } catch (IOException | InterruptedException e) {
            // the proxy has closed
        }
    }

    private static String head(InputStream in) throws IOException {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        int last = 0;
        for (int b = in.read(); b >= 0; b = in.read()) {
            head.write(b);
            last = last << 8 | b;
            if (last == 0x0d0a0d0a) {
                return head.toString(StandardCharsets.US_ASCII);
            }
        }
        return "";
    }
}
