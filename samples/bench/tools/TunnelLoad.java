import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;

/**
 * Requests over TLS, each on a new connection; sessions are resumed, and every hundredth handshake is a full one. Clients have a few loopback addresses, in turns.
 * Each answer must be whole. Prints how many were lost and why, how long they took, and goes on at once after a failure.
 *
 * <p>Arguments: port, server name, file with the root certificate, how many requests, how many at a time, the expected body.
 */
public final class TunnelLoad {
    private static final int ADDRESSES = 8;
    private static final int MILLIS = 30_000;

    private final int port;
    private final String name;
    private final Path root;
    private final byte[] request;
    private final String body;
    private final AtomicInteger left;
    private final AtomicLong slowest = new AtomicLong();
    private final LongAdder good = new LongAdder();
    private final Map<String, LongAdder> lost = new ConcurrentSkipListMap<>();
    /** How many took less than so many milliseconds, from the start of the connection to the end of the answer. */
    private final LongAdder[] within = new LongAdder[MILLIS];

    private TunnelLoad(String[] args) {
        port = Integer.parseInt(args[0]);
        name = args[1];
        root = Path.of(args[2]);
        left = new AtomicInteger(Integer.parseInt(args[3]));
        body = args[5];
        request = ("GET /jsonrpc HTTP/1.1\r\nHost: " + name + "\r\nConnection: close\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
        Arrays.setAll(within, i -> new LongAdder());
    }

    public static void main(String[] args) throws Exception {
        TunnelLoad load = new TunnelLoad(args);
        load.warmUp();
        System.exit(load.run(Integer.parseInt(args[3]), Integer.parseInt(args[4])) ? 0 : 1);
    }

    /** The first ClientHello of a JVM takes long, and a connection that says nothing for 5 s is closed. */
    private void warmUp() throws IOException, GeneralSecurityException {
        SSLEngine engine = trusting(root).createSSLEngine(name, 443);
        engine.setUseClientMode(true);
        engine.wrap(ByteBuffer.allocate(0), ByteBuffer.allocate(32768));
    }

    private boolean run(int count, int together) throws InterruptedException {
        Thread[] threads = new Thread[together];
        long start = System.nanoTime();
        for (int i = 0; i < together; i++) {
            int number = i;
            threads[i] = new Thread(() -> work(number));
            threads[i].start();
        }
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                thread.join(30_000);
                if (thread.isAlive()) {
                    System.err.printf(
                            "%d done, %d lost%n", good.sum(), count - Math.max(0, left.get()) - together - good.sum());
                }
            }
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        long missing = count - good.sum();
        System.out.printf(
                "%d requests, %d at a time, each on a new connection: %d lost; %.0f a second; p50 %d ms, p99 %d ms,"
                        + " p99.9 %d ms, max %d ms%n",
                count,
                together,
                missing,
                count / seconds,
                quantile(0.5),
                quantile(0.99),
                quantile(0.999),
                slowest.get());
        lost.forEach((why, times) -> System.out.println("  " + times + " times " + why));
        return missing == 0 && count > 0;
    }

    private long quantile(double share) {
        long target = (long) Math.ceil(good.sum() * share);
        long seen = 0;
        for (int i = 0; i < MILLIS; i++) {
            seen += within[i].sum();
            if (seen >= target) {
                return i;
            }
        }
        return MILLIS;
    }

    private void work(int number) {
        SSLSocketFactory tls = null;
        for (int done = 0; left.getAndDecrement() > 0; done++) {
            long start = System.nanoTime();
            try {
                if (done % 100 == 0) {
                    tls = trusting(root).getSocketFactory();
                }
                one(tls, (number + done) % ADDRESSES);
                long millis = (System.nanoTime() - start) / 1_000_000;
                within[(int) Math.min(millis, MILLIS - 1)].increment();
                slowest.accumulateAndGet(millis, Math::max);
                good.increment();
            } catch (IOException | GeneralSecurityException e) {
                lost.computeIfAbsent(e.toString(), same -> new LongAdder()).increment();
            }
        }
    }

    private void one(SSLSocketFactory tls, int address) throws IOException {
        try (Socket plain = new Socket()) {
            plain.setReuseAddress(true);
            plain.bind(new InetSocketAddress(
                    InetAddress.getByAddress(new byte[] {127, 20, 0, (byte) (1 + address)}), 0));
            plain.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), MILLIS);
            plain.setSoTimeout(MILLIS);
            plain.setTcpNoDelay(true);
            try (SSLSocket socket = (SSLSocket) tls.createSocket(plain, name, 443, true)) {
                socket.getOutputStream().write(request);
                InputStream in = socket.getInputStream();
                String answer = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
                if (!answer.startsWith("HTTP/1.1 200 ") || !answer.endsWith(body)) {
                    throw new IOException("an answer of " + answer.length() + " bytes: "
                            + answer.lines().findFirst().orElse(""));
                }
            }
        }
    }

    private static SSLContext trusting(Path certificate) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (InputStream in = Files.newInputStream(certificate)) {
            store.setCertificateEntry(
                    "root", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(null, trust.getTrustManagers(), null);
        return tls;
    }
}
