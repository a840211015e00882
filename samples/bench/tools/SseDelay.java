import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * How late the events of one stream are: straight from {@code Upstream}, and through a proxy by HTTP/1.1 and by HTTP/2, side by side. Each
 * event says when the upstream wrote it, by the clock that all processes of the machine have in common.
 *
 * <p>The exit status is 0 if every event arrives and the proxy adds less than 2 ms at the median. Arguments: the proxy's URI, a file with its
 * certificate, the upstream's URI, how many events, and the milliseconds between two.
 */
final class SseDelay {
    private static final double MOST_MILLIS = 2;
    private static final int WARM_UP = 20;

    private SseDelay() {}

    public static void main(String[] args) throws Exception {
        SSLContext tls = trusting(Path.of(args[1]));
        String path =
                "events?type=text/event-stream&pieces=" + (Integer.parseInt(args[3]) + WARM_UP) + "&every=" + args[4];
        ExecutorService threads = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            return thread;
        });
        Future<double[]> direct = threads.submit(
                read(tls, HttpClient.Version.HTTP_1_1, URI.create(args[2]).resolve("/" + path)));
        Future<double[]> http1 = threads.submit(
                read(tls, HttpClient.Version.HTTP_1_1, URI.create(args[0]).resolve("/" + path)));
        Future<double[]> http2 = threads.submit(
                read(tls, HttpClient.Version.HTTP_2, URI.create(args[0]).resolve("/" + path)));
        int events = Integer.parseInt(args[3]);
        long most = 60_000 + (long) (events + WARM_UP) * Integer.parseInt(args[4]);
        double[] straight = direct.get(most, TimeUnit.MILLISECONDS);
        boolean ok = print("straight", straight, Double.NaN, events);
        ok &= print("HTTP/1.1", http1.get(most, TimeUnit.MILLISECONDS), median(straight), events);
        ok &= print("HTTP/2", http2.get(most, TimeUnit.MILLISECONDS), median(straight), events);
        System.exit(ok ? 0 : 1);
    }

    private static Callable<double[]> read(SSLContext tls, HttpClient.Version version, URI uri) {
        return () -> {
            HttpClient client =
                    HttpClient.newBuilder().sslContext(tls).version(version).build();
            HttpResponse<Stream<String>> response =
                    client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofLines());
            if (response.statusCode() != 200 || response.version() != version) {
                throw new IOException(response + " over " + response.version());
            }
            double[] late = response.body()
                    .filter(line -> line.startsWith("data: "))
                    .mapToDouble(line -> (System.nanoTime() - Long.parseLong(line.split(" ")[2])) / 1e6)
                    .toArray();
            return Arrays.stream(late).skip(WARM_UP).sorted().toArray();
        };
    }

    /** What is straight has nothing to be compared with: {@code base} is NaN. */
    private static boolean print(String way, double[] late, double base, int events) {
        double added = Double.isNaN(base) ? 0 : median(late) - base;
        boolean ok = added < MOST_MILLIS && late.length == events;
        System.out.printf(
                "%-9s %5d events, late p50 %.3f ms, p99 %.3f ms, max %.3f ms; added at the median %.3f ms: %s%n",
                way,
                late.length,
                median(late),
                late[late.length * 99 / 100],
                late[late.length - 1],
                added,
                ok ? "ok" : "FAILED");
        return ok;
    }

    private static double median(double[] sorted) {
        return sorted[sorted.length / 2];
    }

    private static SSLContext trusting(Path certificate) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (InputStream in = Files.newInputStream(certificate)) {
            store.setCertificateEntry(
                    "proxy", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(null, trust.getTrustManagers(), null);
        return tls;
    }
}
