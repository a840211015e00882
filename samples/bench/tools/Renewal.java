import io.webproxy.ProxyServer;
import io.webproxy.acme.AcmeCertificates;
import io.webproxy.observe.CertificateEvent;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.tls.Certificates;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A proxy that renews its certificate under traffic. Arguments: the upstream's URI, the CA's directory, its PEM file, the root that it issues from, a directory for
 * what is stored and for sessions, the ports for HTTP and HTTPS, how many renewals to wait for, and the seconds that may take. Ends with 1 when anything was
 * lost, a renewal didn't come, or a session of before one wasn't resumed behind it.
 */
public final class Renewal {
    private static final String NAME = "host.example.com";

    private final Path directory;
    private final int port;

    private Renewal(Path directory, int port) {
        this.directory = directory;
        this.port = port;
    }

    public static void main(String[] args) throws Exception {
        int port = Integer.parseInt(args[6]);
        System.exit(new Renewal(Path.of(args[4]), port).run(args) ? 0 : 1);
    }

    private boolean run(String[] args) throws Exception {
        int wanted = Integer.parseInt(args[7]);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Integer.parseInt(args[8]));
        BlockingQueue<CertificateEvent> obtained = new LinkedBlockingQueue<>();
        BlockingQueue<CertificateEvent> news = new LinkedBlockingQueue<>();
        Set<CertificateEvent> renewed = ConcurrentHashMap.newKeySet();
        ProxyObserver observer = new ProxyObserver() {
            @Override
            public void certificateObtained(CertificateEvent event) {
                obtained.add(event);
            }

            @Override
            public void certificateRenewed(CertificateEvent event) {
                renewed.add(event);
                news.add(event);
            }

            @Override
            public void certificateChanged(CertificateEvent event) {
                news.add(event);
            }
        };
        AcmeCertificates acme = AcmeCertificates.builder()
                .names("127.0.0.1", NAME)
                .directory(args[1])
                .trust(Path.of(args[2]))
                .storage(directory.resolve("storage"))
                .acceptTermsOfService()
                .build();
        int renewals = 0;
        int resumed = 0;
        int others = 0;
        String figures = "no traffic";
        int failures = 0;
        try (ProxyServer proxy = ProxyServer.builder()
                .bind("127.0.0.1")
                .http(Integer.parseInt(args[5]))
                .https(port)
                .certificates(Certificates.firstOf(acme, Certificates.selfSigned(NAME)))
                .forward(args[0].replaceAll("/$", ""))
                .observer(observer)
                .drainTime(Duration.ofSeconds(1))
                .start()) {
            if (obtained.poll(30, TimeUnit.SECONDS) == null) {
                System.out.println("no certificate: " + news);
                return false;
            }
            Traffic traffic = new Traffic(port, Path.of(args[3]));
            X509Certificate before = traffic.presented(NAME);
            openssl("-sess_out", "session-0");
            traffic.handshakes(NAME);
            traffic.handshakes("127.0.0.1");
            traffic.kept(NAME);
            traffic.kept("127.0.0.1");
            traffic.http2();
            traffic.webSocket();
            traffic.events();
            while (renewals < wanted) {
                CertificateEvent event = news.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
                if (event == null) {
                    break;
                }
                if (!renewed.contains(event)) {
                    System.out.println(event.detail());
                    others++;
                    continue;
                }
                renewals++;
                X509Certificate after = traffic.presented(NAME);
                boolean again = openssl("-sess_in", "session-" + (renewals - 1)).contains("Reused, TLSv1.3");
                resumed += again ? 1 : 0;
                openssl("-sess_out", "session-" + renewals);
                System.out.printf(
                        "renewal %d: serial %s after %s, %d s before the end of the old one; a session from before is"
                                + " %s%n",
                        renewals,
                        shortened(after),
                        shortened(before),
                        TimeUnit.MILLISECONDS.toSeconds(before.getNotAfter().getTime() - System.currentTimeMillis()),
                        again ? "resumed" : "NOT resumed");
                others += after.equals(before) ? 1 : 0;
                before = after;
            }
            TimeUnit.SECONDS.sleep(2);
            figures = traffic.end();
            failures = traffic.failures();
        }
        boolean ok = renewals == wanted && resumed == wanted && failures == 0 && others == 0;
        System.out.printf(
                "%d of %d renewals, %d sessions resumed; %s: %s%n",
                renewals, wanted, resumed, figures, ok ? "ok" : "NOT OK");
        return ok;
    }

    private static String shortened(X509Certificate certificate) {
        return certificate.getSerialNumber().toString(16).substring(0, 8);
    }

    /** A request by OpenSSL, which keeps its session in a file, or resumes one; what it prints. */
    private String openssl(String option, String file) throws IOException, InterruptedException {
        Path request = directory.resolve("request");
        Files.writeString(
                request,
                "GET /api/hello HTTP/1.1\r\nHost: " + NAME + "\r\nConnection: close\r\n\r\n",
                StandardCharsets.US_ASCII);
        Process process = new ProcessBuilder(
                        "openssl",
                        "s_client",
                        "-connect",
                        "127.0.0.1:" + port,
                        "-servername",
                        NAME,
                        "-ign_eof",
                        option,
                        directory.resolve(file).toString())
                .redirectInput(request.toFile())
                .redirectErrorStream(true)
                .start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        process.waitFor();
        if (!printed.contains("HTTP/1.1 200")) {
            throw new IOException("openssl s_client: " + printed);
        }
        return printed;
    }
}
