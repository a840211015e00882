import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * A good client, for as long as others misbehave: it asks for a small page every 10 ms over one kept-alive connection, first alone, then beside them. Prints
 * a line when the first phase is over, and a verdict: no error, and a 99th percentile below twice its own before or 50 ms more, whichever is larger.
 *
 * <p>Arguments: the URI, the certificate to trust, seconds alone, seconds beside.
 */
public final class Bystander {
    private final URI uri;
    private final SSLContext tls;
    private Socket socket;
    private InputStream in;
    private int errors;

    private Bystander(URI uri, SSLContext tls) {
        this.uri = uri;
        this.tls = tls;
    }

    public static void main(String[] args) throws Exception {
        SSLContext tls = trusting(Path.of(args[1]));
        Bystander client = new Bystander(URI.create(args[0]), tls);
        client.phase(2);
        List<Long> alone = client.phase(Integer.parseInt(args[2]));
        int before = client.errors;
        System.out.printf(Locale.ROOT, "alone  %s%n", figures(alone));
        System.out.flush();
        List<Long> beside = client.phase(Integer.parseInt(args[3]));
        int errors = client.errors - before;
        double limit = Math.max(2 * at(alone, 0.99), at(alone, 0.99) + 50);
        boolean ok = errors == 0 && before == 0 && at(beside, 0.99) < limit;
        System.out.printf(
                Locale.ROOT,
                "beside %s, %d errors (p99 allowed: %.1f ms): %s%n",
                figures(beside),
                errors,
                limit,
                ok ? "ok" : "NOT OK");
        System.exit(ok ? 0 : 1);
    }

    private static SSLContext trusting(Path certificate) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        try (InputStream pem = Files.newInputStream(certificate)) {
            store.setCertificateEntry(
                    "it", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    private List<Long> phase(int seconds) throws InterruptedException {
        List<Long> nanos = new ArrayList<>();
        long end = System.nanoTime() + seconds * 1_000_000_000L;
        for (long next = System.nanoTime(); next < end; next = Math.max(next + 10_000_000, System.nanoTime())) {
            long wait = next - System.nanoTime();
            if (wait > 0) {
                Thread.sleep(wait / 1_000_000, (int) (wait % 1_000_000));
            }
            long start = System.nanoTime();
            try {
                ask();
            } catch (IOException e) {
                errors++;
                System.err.println("bystander: " + e);
                forget();
            }
            nanos.add(System.nanoTime() - start);
        }
        Collections.sort(nanos);
        return nanos;
    }

    private void ask() throws IOException {
        if (socket == null) {
            Socket raw = uri.getScheme().equals("https")
                    ? tls.getSocketFactory().createSocket(InetAddress.getByName("127.0.0.1"), uri.getPort())
                    : new Socket("127.0.0.1", uri.getPort());
            raw.setTcpNoDelay(true);
            raw.setSoTimeout(10_000);
            socket = raw;
            in = new BufferedInputStream(raw.getInputStream());
        }
        OutputStream out = socket.getOutputStream();
        out.write("GET /api/hello HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        String status = line();
        if (!status.startsWith("HTTP/1.1 200")) {
            throw new IOException(status.isEmpty() ? "the connection ended" : status);
        }
        int length = 0;
        for (String line = line(); !line.isEmpty(); line = line()) {
            if (line.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
                length = Integer.parseInt(line.substring(15).strip());
            }
        }
        if (in.readNBytes(length).length < length) {
            throw new IOException("a short answer");
        }
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int b = in.read(); b >= 0 && b != '\n'; b = in.read()) {
            if (b != '\r') {
                line.append((char) b);
            }
        }
        return line.toString();
    }

    private void forget() {
        try {
            if (socket != null) {
                socket.close();
            }
        } catch (IOException e) {
            // it is gone
        }
        socket = null;
    }

    private static double at(List<Long> sorted, double share) {
        return sorted.get((int) Math.min(sorted.size() - 1L, (long) (share * sorted.size()))) / 1e6;
    }

    private static String figures(List<Long> sorted) {
        return String.format(
                Locale.ROOT,
                "%5d answers, p50 %6.2f ms, p99 %7.2f ms, max %7.2f ms",
                sorted.size(),
                at(sorted, 0.5),
                at(sorted, 0.99),
                at(sorted, 1));
    }
}
