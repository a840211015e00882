import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * An upstream that refuses, resets, hangs, trickles, sends garbage, or answers, at random, and clients that send requests to it through a proxy at a fixed rate.
 *
 * <p>Arguments: {@code upstream PORT}, which runs until it is ended; or {@code clients PORT PATH SECONDS RATE THREADS}, which prints how often each status came and
 * ends with 1 unless some requests are answered and others fail.
 */
public final class FaultyUpstream {
    private static final int KINDS = 5;

    private FaultyUpstream() {}

    public static void main(String[] args) throws Exception {
        if (args[0].equals("upstream")) {
            upstream(Integer.parseInt(args[1]));
        } else {
            clients(
                    Integer.parseInt(args[1]),
                    args[2],
                    Integer.parseInt(args[3]),
                    Integer.parseInt(args[4]),
                    Integer.parseInt(args[5]));
        }
    }

    /** Listens for 800 ms, and refuses for 200 ms, in turns. */
    private static void upstream(int port) throws IOException {
        System.out.println("ready");
        while (true) {
            try (ServerSocket server = new ServerSocket()) {
                server.setReuseAddress(true);
                server.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port), 1000);
                long until = System.nanoTime() + 800_000_000L;
                for (long left = 800; left > 0; left = (until - System.nanoTime()) / 1_000_000) {
                    server.setSoTimeout((int) left);
                    Socket socket;
                    try {
                        socket = server.accept();
                    } catch (java.net.SocketTimeoutException e) {
                        break;
                    }
                    new Thread(null, () -> serve(socket), "connection", 128 * 1024).start();
                }
            }
            LockSupport.parkNanos(200_000_000L);
        }
    }

    private static void serve(Socket socket) {
        try (socket) {
            socket.setSoTimeout(2000);
            byte[] bytes = new byte[8192];
            while (socket.getInputStream().read(bytes) > 0) {
                OutputStream out = socket.getOutputStream();
                switch (ThreadLocalRandom.current().nextInt(KINDS)) {
                    case 0 -> {
                        socket.setSoLinger(true, 0);
                        return;
                    }
                    case 1 -> {
                        // hangs, until the proxy gives up or for 2 s
                        socket.getInputStream().read(bytes);
                        return;
                    }
                    case 2 -> {
                        out.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                        for (int i = 0; i < 10; i++) {
                            LockSupport.parkNanos(20_000_000L);
                            out.write('.');
                        }
                    }
                    case 3 -> {
                        byte[] garbage = new byte[512];
                        ThreadLocalRandom.current().nextBytes(garbage);
                        out.write(garbage);
                        return;
                    }
                    default ->
                        out.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".getBytes(StandardCharsets.US_ASCII));
                }
            }
        } catch (IOException e) {
            // the proxy may leave whenever it likes
        }
    }

    private static void clients(int port, String path, int seconds, int rate, int threads) throws Exception {
        long end = System.nanoTime() + seconds * 1_000_000_000L;
        long each = 1_000_000_000L * threads / rate;
        Map<String, AtomicLong> seen = new ConcurrentHashMap<>();
        CountDownLatch done = new CountDownLatch(threads);
        List<Thread> all = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            long first = System.nanoTime() + each * i / threads;
            Thread thread = new Thread(
                    null,
                    () -> {
                        try (Client client = new Client(port, path)) {
                            for (long next = first; next < end; next = Math.max(next + each, System.nanoTime())) {
                                LockSupport.parkNanos(next - System.nanoTime());
                                seen.computeIfAbsent(client.ask(), added -> new AtomicLong())
                                        .incrementAndGet();
                            }
                        } finally {
                            done.countDown();
                        }
                    },
                    "client",
                    128 * 1024);
            all.add(thread);
            thread.start();
        }
        done.await();
        boolean both = seen.containsKey("200") && seen.keySet().stream().anyMatch(status -> status.startsWith("5"));
        System.out.println("requests to the faulty upstream, by status: " + new TreeMap<>(seen)
                + (both ? "" : ": NOT OK, it has to answer some and to fail others"));
        System.exit(both ? 0 : 1);
    }

    /** One connection, opened again when it has ended. */
    private static final class Client implements AutoCloseable {
        private final int port;
        private final byte[] request;
        private final byte[] answer = new byte[8192];
        private Socket socket;

        Client(int port, String path) {
            this.port = port;
            this.request = ("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n").getBytes(StandardCharsets.US_ASCII);
        }

        String ask() {
            try {
                if (socket == null) {
                    socket = new Socket(InetAddress.getByName("127.0.0.1"), port);
                    socket.setTcpNoDelay(true);
                    socket.setSoTimeout(1000);
                }
                socket.getOutputStream().write(request);
                InputStream in = socket.getInputStream();
                int length = 0;
                String head = "";
                while (!head.contains("\r\n\r\n")) {
                    int read = in.read(answer, length, answer.length - length);
                    if (read < 0) {
                        throw new IOException("end");
                    }
                    length += read;
                    head = new String(answer, 0, length, StandardCharsets.ISO_8859_1);
                }
                int body = head.length() - head.indexOf("\r\n\r\n") - 4;
                int at = head.toLowerCase(java.util.Locale.ROOT).indexOf("content-length:");
                int expected = at < 0
                        ? 0
                        : Integer.parseInt(
                                head.substring(at + 15, head.indexOf('\r', at)).strip());
                while (body < expected) {
                    int read = in.read(answer);
                    if (read < 0) {
                        throw new IOException("end");
                    }
                    body += read;
                }
                if (head.toLowerCase(java.util.Locale.ROOT).contains("connection: close")) {
                    close();
                }
                return head.substring(9, 12);
            } catch (java.net.SocketTimeoutException e) {
                close();
                return "left";
            } catch (IOException | RuntimeException e) {
                close();
                return "cut";
            }
        }

        @Override
        public void close() {
            try {
                if (socket != null) {
                    socket.close();
                }
            } catch (IOException e) {
                // it is gone
            }
            socket = null;
        }
    }
}
