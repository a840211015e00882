import com.sun.net.httpserver.HttpServer;
import io.webproxy.PrivateProxy;
import io.webproxy.ProxyServer;
import io.webproxy.acme.AcmeCertificates;
import io.webproxy.acme.ChallengeKind;
import io.webproxy.observe.CertificateEvent;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.tls.Certificates;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * The private side of a tunnel, whose certificates are ordered of a CA that reaches it by the public side alone: by TLS-ALPN-01 at the names that end here, or by HTTP-01 at
 * a port of the public side that leads to its HTTP endpoint. Its service answers with the client's address, as it is told. Arguments: tls or http, seconds it may
 * take, directory, its PEM file, a storage directory, HOST:PORT of the public side, its fingerprint, DIR/NAME of the agent's key, the public side's port for HTTP-01, a free
 * port for the HTTP endpoint, and names. Prints what came of them, and {@code ready} when all are issued; then it serves until it is killed.
 */
public final class TunnelAcme {
    private TunnelAcme() {}

    public static void main(String[] args) throws Exception {
        boolean http = args[0].equals("http");
        int count = args.length - 10;
        HttpServer service = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 64);
        service.createContext("/", exchange -> {
            byte[] client = ("client " + exchange.getRequestHeaders().getFirst("X-Forwarded-For") + "\n")
                    .getBytes(StandardCharsets.US_ASCII);
            exchange.sendResponseHeaders(200, client.length);
            exchange.getResponseBody().write(client);
            exchange.close();
        });
        service.start();
        AcmeCertificates.Builder acme = AcmeCertificates.builder()
                .directory(args[2])
                .trust(Path.of(args[3]))
                .storage(Path.of(args[4]))
                .acceptTermsOfService()
                .challenges(http ? ChallengeKind.HTTP_01 : ChallengeKind.TLS_ALPN_01);
        for (int i = 10; i < args.length; i++) {
            acme.certificate(args[i]);
        }
        LongAdder obtained = new LongAdder();
        Map<String, Integer> failures = new ConcurrentHashMap<>();
        long start = System.nanoTime();
        ProxyServer proxy = ProxyServer.builder()
                .bind("127.0.0.1")
                .http(Integer.parseInt(args[9]))
                .tunnel(args[5], tunnel -> {
                    tunnel.server(args[6]).identity(Path.of(args[7]));
                    for (int i = 10; i < args.length; i++) {
                        tunnel.announceHttps(args[i]);
                    }
                    if (http) {
                        tunnel.announceTcp(Integer.parseInt(args[8]), "127.0.0.1:" + args[9]);
                    }
                })
                .certificates(Certificates.firstOf(acme.build(), Certificates.selfSigned("localhost")))
                .forward("http://127.0.0.1:" + service.getAddress().getPort())
                .observer(new ProxyObserver() {
                    @Override
                    public void certificateObtained(CertificateEvent event) {
                        obtained.increment();
                    }

                    @Override
                    public void certificateFailed(CertificateEvent event) {
                        failures.merge(event.detail(), 1, Integer::sum);
                    }
                })
                .start();
        if (!PrivateProxy.of(proxy).awaitAnnounced(Duration.ofSeconds(20))) {
            System.err.println("not announced within 20 s: "
                    + proxy.status().tunnelStatus().servers());
            System.exit(1);
        }
        double announced = (System.nanoTime() - start) / 1e9;
        long end = start + TimeUnit.SECONDS.toNanos(Integer.parseInt(args[1]));
        while (obtained.sum() < count && System.nanoTime() < end) {
            Thread.sleep(50);
        }
        System.out.printf(
                "%s: announced after %.1f s, %d of %d issued in %.1f s; failures %s%n",
                http ? "HTTP-01" : "TLS-ALPN-01",
                announced,
                obtained.sum(),
                count,
                (System.nanoTime() - start) / 1e9,
                new TreeMap<>(failures));
        if (obtained.sum() < count) {
            System.exit(1);
        }
        System.out.println("ready https://" + args[10] + "/");
    }
}
