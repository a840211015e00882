import io.webproxy.ProxyServer;
import io.webproxy.acme.AcmeCertificates;
import io.webproxy.acme.ChallengeKind;
import io.webproxy.acme.DnsRecordPublisher;
import io.webproxy.observe.CertificateEvent;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.tls.Certificates;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * Orders many certificates of Pebble by one kind of challenge, answered by the proxy's own ports: arguments are the kind (http, tls, dns, wildcard, ip), how
 * many, the seconds it may take, directory, its PEM file, a storage directory, the ports for HTTP and HTTPS, DNS server and management of
 * pebble-challtestsrv, and account id and key for external account binding, if wanted. Prints what came of them; ends with 1 unless every one was issued.
 */
public final class AcmeOrders {
    private AcmeOrders() {}

    public static void main(String[] args) throws Exception {
        String kind = args[0];
        int count = Integer.parseInt(args[1]);
        int seconds = Integer.parseInt(args[2]);
        AcmeCertificates.Builder acme = AcmeCertificates.builder()
                .directory(args[3])
                .trust(Path.of(args[4]))
                .storage(Path.of(args[5]))
                .acceptTermsOfService();
        if (args.length > 10) {
            acme.externalAccount(args[10], args[11]);
        }
        switch (kind) {
            case "http" -> acme.challenges(ChallengeKind.HTTP_01);
            case "dns", "wildcard" ->
                acme.challenges(ChallengeKind.DNS_01)
                        .dns(new ChallengeServer(URI.create(args[9])))
                        .resolver(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[8])));
            default -> acme.challenges(ChallengeKind.TLS_ALPN_01);
        }
        for (int i = 0; i < count; i++) {
            String name = "host-" + i + ".example.com";
            switch (kind) {
                case "wildcard" -> acme.certificate(name, "*." + name);
                case "ip" -> acme.certificate(i % 2 == 0 ? "127.0.0." + (1 + i / 2) : i == 1 ? "::1" : "127.0.1." + i);
                default -> acme.certificate(name);
            }
        }
        LongAdder obtained = new LongAdder();
        Map<String, Integer> failures = new ConcurrentHashMap<>();
        ProxyObserver counts = new ProxyObserver() {
            @Override
            public void certificateObtained(CertificateEvent event) {
                obtained.increment();
            }

            @Override
            public void certificateFailed(CertificateEvent event) {
                failures.merge(event.detail(), 1, Integer::sum);
            }
        };
        long start = System.nanoTime();
        AcmeCertificates provider = acme.build();
        try (ProxyServer proxy = ProxyServer.builder()
                .http(Integer.parseInt(args[6]))
                .https(Integer.parseInt(args[7]))
                .certificates(Certificates.firstOf(provider, Certificates.selfSigned("localhost")))
                .forward("http://127.0.0.1:9")
                .observer(counts)
                .drainTime(java.time.Duration.ZERO)
                .start()) {
            long end = start + TimeUnit.SECONDS.toNanos(seconds);
            while (obtained.sum() < count && System.nanoTime() < end) {
                Thread.sleep(50);
            }
        }
        System.out.printf(
                "%s: %d of %d issued in %.1f s; failures %s%n",
                kind,
                obtained.sum(),
                count,
                (System.nanoTime() - start) / 1e9,
                new TreeMap<>(failures));
        System.exit(obtained.sum() == count ? 0 : 1);
    }

    private record ChallengeServer(URI management) implements DnsRecordPublisher {
        private static final HttpClient HTTP = HttpClient.newHttpClient();

        @Override
        public void publish(String recordName, String value) throws IOException, InterruptedException {
            post("set-txt", "{\"host\":\"" + recordName + ".\",\"value\":\"" + value + "\"}");
        }

        @Override
        public void remove(String recordName, String value) throws IOException, InterruptedException {
            post("clear-txt", "{\"host\":\"" + recordName + ".\"}");
        }

        private void post(String path, String body) throws IOException, InterruptedException {
            int status = HTTP.send(
                            HttpRequest.newBuilder(management.resolve("/" + path))
                                    .POST(HttpRequest.BodyPublishers.ofString(body))
                                    .build(),
                            HttpResponse.BodyHandlers.discarding())
                    .statusCode();
            if (status != 200) {
                throw new IOException("challtestsrv answered " + status);
            }
        }
    }
}
