import io.webproxy.ProxyServer;
import io.webproxy.acme.AcmeCertificates;
import io.webproxy.tls.Certificates;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * From the start of a proxy to the end of the first handshake, with a certificate from PEM files and with the same as ACME has stored it. Arguments: {@code pem},
 * {@code acme} or {@code both}, certificate, key, the store's directory, the CA's directory, which nobody serves, and how many times. Prints milliseconds: of one kind each
 * time, of both in turn the medians and their difference; ends with 1 if a handshake shows another certificate.
 */
public final class TimeToHandshake {
    private static final String NAME = "localhost.localdomain";

    private final String[] args;
    private final SSLContext client;

    private TimeToHandshake(String[] args) throws Exception {
        this.args = args;
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (InputStream pem = Files.newInputStream(Path.of(args[1]))) {
            store.setCertificateEntry(
                    "only", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store);
        client = SSLContext.getInstance("TLS");
        client.init(null, trust.getTrustManagers(), null);
    }

    public static void main(String[] args) throws Exception {
        TimeToHandshake measured = new TimeToHandshake(args);
        int times = Integer.parseInt(args[5]);
        if (!args[0].equals("both")) {
            for (int i = 0; i < times; i++) {
                System.out.printf(Locale.ROOT, "%.1f%n", measured.once(args[0]));
            }
            return;
        }
        double[] pem = new double[times];
        double[] acme = new double[times];
        int warmUp = 5;
        for (int i = -warmUp; i < times; i++) {
            double first = measured.once("pem");
            double second = measured.once("acme");
            if (i >= 0) {
                pem[i] = first;
                acme[i] = second;
            }
        }
        Arrays.sort(pem);
        Arrays.sort(acme);
        System.out.printf(
                Locale.ROOT,
                "%.1f %.1f %.1f %.1f%n",
                pem[times / 2],
                pem[times * 9 / 10],
                acme[times / 2],
                acme[times * 9 / 10]);
    }

    private Certificates source(String kind) {
        if (kind.equals("pem")) {
            return Certificates.pem(Path.of(args[1]), Path.of(args[2]));
        }
        AcmeCertificates acme = AcmeCertificates.builder()
                .names(NAME)
                .directory(args[4])
                .storage(Path.of(args[3]))
                .acceptTermsOfService()
                .build();
        return Certificates.firstOf(acme, Certificates.selfSigned(NAME));
    }

    private double once(String kind) throws Exception {
        long start = System.nanoTime();
        try (ProxyServer proxy = ProxyServer.builder()
                .bind("127.0.0.1")
                .https(0)
                .certificates(source(kind))
                .forward("http://127.0.0.1:9")
                .drainTime(Duration.ZERO)
                .start()) {
            Socket plain =
                    new Socket(InetAddress.getLoopbackAddress(), proxy.uri().getPort());
            plain.setSoTimeout(10_000);
            try (SSLSocket socket =
                    (SSLSocket) client.getSocketFactory().createSocket(plain, NAME, plain.getPort(), true)) {
                // which fails if it isn't the one certificate that is trusted
                socket.startHandshake();
            }
            return (System.nanoTime() - start) / 1e6;
        }
    }
}
