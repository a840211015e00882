import io.webproxy.ProxyServer;
import io.webproxy.http.Answer;
import io.webproxy.http.StatusPage;
import io.webproxy.port.Endpoint;
import io.webproxy.route.Balancing;
import io.webproxy.route.HealthCheck;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.tls.Certificates;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A proxy with everything that its status page can show: an upstream that fails its health check, one that refuses connections, a certificate that
 * expires, port rules, names that are markup, open event streams, and some traffic. Prints {@code ready URI} and {@code status URI}.
 *
 * <p>Arguments: the URI of an {@code Upstream}, the files of the certificate and its key, how many streams.
 */
final class StatusScene {
    private static final String HOSTILE =
            "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script>'\u2028";

    public static void main(String[] args) throws Exception {
        String upstream = args[0].replaceFirst("/$", "");
        String gone = "http://127.0.0.1:" + unused();
        String sshd = "127.0.0.1:" + unused();
        UpstreamGroup models = UpstreamGroup.of(upstream, gone)
                .named("models")
                .balancing(Balancing.roundRobin())
                .healthCheck(HealthCheck.path("/?size=2")
                        .withInterval(Duration.ofMillis(500))
                        .withThresholds(2, 1));
        try (ProxyServer proxy = ProxyServer.builder()
                .bind("127.0.0.1")
                .https(0, e -> e.name("public"))
                .http(0, e -> e.name("inside"))
                .redirectHttp(0, e -> e.name("redirect"))
                .listen(0, p -> p.name("shared").ssh(sshd).http())
                .http(0, e -> e.name("status").answer(StatusPage.defaults()))
                .certificates(Certificates.pem(Path.of(args[1]), Path.of(args[2])))
                .forward(upstream)
                .route(r -> r.name("chat").host("chat.example.com").path("/v1/").forward(models))
                .route(r -> r.name("reports").path("/reports/").forward(gone))
                .route(r -> r.name("health").path("/healthz").answer(Answer.text(200, "ok")))
                .route(r -> r.name("old").path("/old/").redirectTo("https://www.example.com"))
                .route(r -> r.name(HOSTILE)
                        .path("/hostile/")
                        .forward(UpstreamGroup.of(gone).named(HOSTILE)))
                .start()) {
            String inside = "http://127.0.0.1:" + port(proxy, "inside");
            List<Socket> streams = open(Integer.parseInt(args[3]), port(proxy, "inside"));
            System.out.println("ready " + proxy.uri());
            System.out.println("status http://127.0.0.1:" + port(proxy, "status") + "/");
            traffic(inside, streams);
        }
    }

    /** Streams with an event per second, which the kernel holds: they aren't read. */
    private static List<Socket> open(int count, int port) throws IOException {
        List<Socket> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
            socket.getOutputStream()
                    .write(
                            "GET /events?type=text/event-stream&pieces=100000&every=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                    .getBytes(StandardCharsets.US_ASCII));
            all.add(socket);
        }
        return all;
    }

    private static int port(ProxyServer proxy, String name) {
        return proxy.endpoints().stream()
                .filter(endpoint -> endpoint.name().equals(name))
                .map(Endpoint::address)
                .findFirst()
                .orElseThrow()
                .getPort();
    }

    private static int unused() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Requests until the process is ended, some of which fail; the streams stay open. */
    private static void traffic(String inside, List<Socket> streams) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        Random random = new Random(1);
        for (int i = 0; streams.stream().noneMatch(Socket::isClosed); i++) {
            String path = i % 40 == 7
                    ? "/reports/q3?token=secret"
                    : i % 90 == 11
                            ? "/hostile/<script>".replace("<", "%3C").replace(">", "%3E")
                            : "/?size=" + (1000 + random.nextInt(40_000));
            HttpRequest request =
                    HttpRequest.newBuilder(URI.create(inside + path)).build();
            client.sendAsync(request, HttpResponse.BodyHandlers.discarding());
            Thread.sleep((long) (20 + 30 * (1 + Math.sin(i / 60.0)) + random.nextInt(20)));
        }
    }
}
