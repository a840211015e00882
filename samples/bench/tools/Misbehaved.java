import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * Clients that behave badly, on loopback, bounded in number and time. Arguments: the kind, the port, how many, and for how many seconds.
 *
 * <p>Kinds: {@code hellos} stall within a ClientHello; {@code trickled-hellos} send one byte at a time; {@code handshakes} are done one after the other, from
 * so many threads; {@code idle} and {@code idle-tls} ask once and then stay; {@code connects} only connect, and stay; {@code aborts} leave in each phase;
 * {@code downloads} read 10 KiB each second of an endless file. Ends with 1 when they couldn't do so, or weren't ended or served as they should be.
 */
public final class Misbehaved {
    private static final int PHASES = 6;

    private final int port;
    private final int count;
    private final long end;

    private Misbehaved(int port, int count, int seconds) {
        this.port = port;
        this.count = count;
        this.end = System.nanoTime() + seconds * 1_000_000_000L;
    }

    public static void main(String[] args) throws Exception {
        Misbehaved clients =
                new Misbehaved(Integer.parseInt(args[1]), Integer.parseInt(args[2]), Integer.parseInt(args[3]));
        switch (args[0]) {
            case "hellos" -> clients.hellos(false);
            case "trickled-hellos" -> clients.hellos(true);
            case "handshakes" -> clients.handshakes();
            case "idle" -> clients.idle(false);
            case "idle-tls" -> clients.idle(true);
            case "connects" -> clients.connects();
            case "aborts" -> clients.aborts();
            case "downloads" -> clients.downloads();
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    /** Whose certificate it is doesn't matter to those who want no answer. */
    private static SSLContext tls() throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new Anybody()}, null);
        return context;
    }

    private static final class Anybody implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    private boolean isOver() {
        return System.nanoTime() > end;
    }

    private Socket open() throws IOException {
        Socket socket = new Socket();
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 5000);
        return socket;
    }

    private Socket openTls(SSLContext context) throws Exception {
        Socket socket = context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(20_000);
        socket.setTcpNoDelay(true);
        ((SSLSocket) socket).startHandshake();
        return socket;
    }

    private void hellos(boolean trickled) throws Exception {
        List<Socket> open = new ArrayList<>();
        List<Long> since = new ArrayList<>();
        byte[] hello = {22, 3, 1, 2, 0, 1, 0, 1, (byte) 0xfc, 3, 3};
        for (int i = 0; i < count; i++) {
            Socket socket = open();
            since.add(System.nanoTime());
            socket.getOutputStream().write(hello, 0, trickled ? 1 : hello.length);
            open.add(socket);
        }
        AtomicLong longest = new AtomicLong();
        AtomicLong shortest = new AtomicLong(Long.MAX_VALUE);
        AtomicInteger ended = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(count);
        for (int i = 0; i < count; i++) {
            Socket socket = open.get(i);
            long from = since.get(i);
            new Thread(
                            null,
                            () -> {
                                try {
                                    socket.setSoTimeout(
                                            trickled ? 500 : (int) Math.max(1, (end - System.nanoTime()) / 1_000_000));
                                    awaitEnd(socket, trickled ? hello : new byte[0]);
                                    long lived = System.nanoTime() - from;
                                    longest.accumulateAndGet(lived, Math::max);
                                    shortest.accumulateAndGet(lived, Math::min);
                                    ended.incrementAndGet();
                                } catch (IOException e) {
                                    // it has outlived the time
                                } finally {
                                    done.countDown();
                                }
                            },
                            "hello",
                            128 * 1024)
                    .start();
        }
        done.await();
        System.out.printf(
                Locale.ROOT,
                "%d of %d ended, after %.1f to %.1f s%n",
                ended.get(),
                count,
                shortest.get() / 1e9,
                longest.get() / 1e9);
        System.exit(ended.get() == count && longest.get() < 11_000_000_000L ? 0 : 1);
    }

    /** Sends the bytes, one in each half second, and returns when the server has ended the connection. */
    private void awaitEnd(Socket socket, byte[] bytes) throws IOException {
        for (int next = 1; !isOver(); next++) {
            try {
                if (socket.getInputStream().read() < 0) {
                    return;
                }
            } catch (java.net.SocketTimeoutException e) {
                try {
                    socket.getOutputStream().write(next < bytes.length ? bytes[next] : 0);
                } catch (IOException gone) {
                    return;
                }
            } catch (java.net.SocketException e) {
                return;
            }
        }
        throw new IOException("still open");
    }

    private void handshakes() throws Exception {
        AtomicLong done = new AtomicLong();
        AtomicLong failed = new AtomicLong();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Thread thread = new Thread(() -> {
                while (!isOver()) {
                    // a context of its own: no session to resume
                    try (Socket socket = openTls(tls())) {
                        done.incrementAndGet();
                    } catch (Exception e) {
                        failed.incrementAndGet();
                    }
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        System.out.printf("%d handshakes, %d failed%n", done.get(), failed.get());
        System.exit(done.get() > 0 && failed.get() == 0 ? 0 : 1);
    }

    private void idle(boolean secure) throws Exception {
        List<Socket> open = new ArrayList<>();
        SSLContext context = tls();
        int served = 0;
        for (int i = 0; i < count; i++) {
            Socket socket = secure ? openTls(context) : open();
            served += ask(socket, "/api/hello") ? 1 : 0;
            open.add(socket);
        }
        System.out.printf("%d of %d are open and were served%n", served, count);
        System.out.flush();
        hold();
        int still = 0;
        for (Socket socket : open) {
            still += ask(socket, "/api/hello") ? 1 : 0;
        }
        System.out.printf("%d of %d are served again%n", still, count);
        System.exit(served == count && still == count ? 0 : 1);
    }

    private static boolean ask(Socket socket, String path) {
        try {
            socket.setSoTimeout(10_000);
            request(socket, path);
            byte[] answer = new byte[4096];
            int read = socket.getInputStream().read(answer);
            return read > 12 && new String(answer, 9, 3, StandardCharsets.US_ASCII).equals("200");
        } catch (IOException e) {
            return false;
        }
    }

    private static void request(Socket socket, String path) throws IOException {
        socket.getOutputStream()
                .write(("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
    }

    private void hold() throws InterruptedException {
        while (!isOver()) {
            Thread.sleep(100);
        }
    }

    private void connects() throws Exception {
        List<Socket> open = new ArrayList<>();
        for (int i = 0; i < count && !isOver(); i++) {
            try {
                open.add(open());
            } catch (IOException e) {
                // as it should be
            }
        }
        hold();
        int refused = 0;
        for (Socket socket : open) {
            socket.setSoTimeout(1);
            try {
                refused += socket.getInputStream().read() < 0 ? 1 : 0;
            } catch (java.net.SocketTimeoutException e) {
                // it is in
            } catch (IOException e) {
                refused++;
            }
            socket.close();
        }
        System.out.printf("%d connected, %d of them closed by the server%n", open.size(), refused);
        System.exit(open.size() > count / 2 ? 0 : 1);
    }

    private void aborts() throws Exception {
        SSLContext context = tls();
        AtomicInteger next = new AtomicInteger();
        AtomicInteger failed = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(8);
        for (int t = 0; t < 8; t++) {
            new Thread(() -> {
                        for (int i = next.getAndIncrement(); i < count && !isOver(); i = next.getAndIncrement()) {
                            try {
                                abort(context, i % PHASES, i % 2 == 0);
                            } catch (Exception e) {
                                failed.incrementAndGet();
                            }
                        }
                        done.countDown();
                    })
                    .start();
        }
        done.await();
        int left = Math.min(next.get(), count);
        System.out.printf("%d left in %d phases, %d before they could%n", left, PHASES, failed.get());
        System.exit(left > PHASES && failed.get() <= left / 100 ? 0 : 1);
    }

    private void abort(SSLContext context, int phase, boolean reset) throws Exception {
        Socket socket = phase == 0 ? open() : openTls(context);
        OutputStream out = socket.getOutputStream();
        InputStream in = socket.getInputStream();
        switch (phase) {
            case 0 -> out.write(22);
            case 1 -> out.write("GET / HT".getBytes(StandardCharsets.US_ASCII));
            case 2 -> request(socket, "/slow?ms=2000");
            case 3 -> {
                out.write("POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\n"
                        .getBytes(StandardCharsets.US_ASCII));
                out.write(new byte[50_000]);
            }
            case 4 -> {
                request(socket, "/download/a.bin?size=100000000");
                in.readNBytes(50_000);
            }
            default -> {
                request(socket, "/events");
                in.readNBytes(100);
            }
        }
        if (reset && !(socket instanceof SSLSocket)) {
            socket.setSoLinger(true, 0);
        }
        socket.close();
    }

    private void downloads() throws Exception {
        AtomicInteger alive = new AtomicInteger();
        AtomicLong bytes = new AtomicLong();
        CountDownLatch done = new CountDownLatch(count);
        for (int i = 0; i < count; i++) {
            new Thread(
                            null,
                            () -> {
                                try (Socket socket = open()) {
                                    socket.setReceiveBufferSize(16 * 1024);
                                    socket.setSoTimeout(20_000);
                                    request(socket, "/download/a.bin?size=1000000000");
                                    boolean whole = true;
                                    while (!isOver() && whole) {
                                        int read = socket.getInputStream().readNBytes(10 * 1024).length;
                                        bytes.addAndGet(read);
                                        whole = read == 10 * 1024;
                                        Thread.sleep(1000);
                                    }
                                    if (whole) {
                                        alive.incrementAndGet();
                                    }
                                } catch (IOException | InterruptedException e) {
                                    // counted as not alive
                                } finally {
                                    done.countDown();
                                }
                            },
                            "download",
                            128 * 1024)
                    .start();
        }
        done.await();
        System.out.printf("%d of %d downloads alive to the end, %d MiB read%n", alive.get(), count, bytes.get() >> 20);
        System.exit(alive.get() == count ? 0 : 1);
    }
}
