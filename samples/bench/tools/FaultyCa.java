import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLContext;

/** A CA that isn't well until it is healed: then all requests go to another, as those that its fault has nothing to do with do before. */
final class FaultyCa {
    /** What a CA does to those who ask it. */
    enum Fault {
        REFUSES_CONNECTIONS,
        HANGS,
        ANSWERS_429,
        ANSWERS_500,
        SENDS_MALFORMED_JSON,
        ISSUES_A_BAD_CHAIN
    }

    /** More than the first wait of who has failed, less than the second. */
    static final int RETRY_AFTER_SECONDS = 90;

    private static final List<String> HEADERS =
            List.of("Content-Type", "Replay-Nonce", "Location", "Link", "Retry-After");

    private final Fault fault;
    private final SSLContext tls;
    private final URI ca;
    private final HttpClient client;
    private final String badChain;
    private final int port;
    private final CountDownLatch healed = new CountDownLatch(1);
    private final Queue<Instant> requests = new ConcurrentLinkedQueue<>();

    /**
     * One that serves by a context, asks a CA by a client that trusts that, and gives out a chain that is nobody's.
     */
    FaultyCa(Fault fault, SSLContext tls, URI ca, HttpClient client, String badChain) throws IOException {
        this.fault = fault;
        this.tls = tls;
        this.ca = ca;
        this.client = client;
        this.badChain = badChain;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        if (fault != Fault.REFUSES_CONNECTIONS) {
            serve();
        }
    }

    private void serve() throws IOException {
        HttpsServer server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(tls));
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/", this::handle);
        server.start();
    }

    /** Is well from now on. */
    void heal() throws IOException {
        if (fault == Fault.REFUSES_CONNECTIONS) {
            serve();
        }
        healed.countDown();
    }

    String directory() {
        return "https://127.0.0.1:" + port + "/dir";
    }

    /** Where a store keeps what is this CA's. */
    String storedAs() {
        return "127.0.0.1=" + port + "-dir";
    }

    /** Whether anybody has asked for anything between these moments. */
    boolean wasAsked(Instant from, Instant to) {
        return requests.stream().anyMatch(request -> request.isAfter(from) && request.isBefore(to));
    }

    private void handle(HttpExchange exchange) throws IOException {
        requests.add(Instant.now());
        try (exchange) {
            if (healed.getCount() == 0) {
                pass(exchange, false);
                return;
            }
            switch (fault) {
                case HANGS -> healed.await();
                case ANSWERS_429 -> {
                    exchange.getResponseHeaders().set("Retry-After", String.valueOf(RETRY_AFTER_SECONDS));
                    answer(exchange, 429, "text/plain", "too many");
                }
                case ANSWERS_500 -> answer(exchange, 500, "text/html", "<h1>Oops</h1>");
                case SENDS_MALFORMED_JSON -> answer(exchange, 200, "application/json", "{\"newNonce\": ");
                default -> pass(exchange, true);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void pass(HttpExchange exchange, boolean spoiled) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(ca.resolve(exchange.getRequestURI()))
                .method(
                        exchange.getRequestMethod(),
                        HttpRequest.BodyPublishers.ofByteArray(
                                exchange.getRequestBody().readAllBytes()))
                // what the CA puts into its URLs, and expects in signed ones
                .header("Host", "127.0.0.1:" + port);
        String type = exchange.getRequestHeaders().getFirst("Content-Type");
        if (type != null) {
            request.header("Content-Type", type);
        }
        HttpResponse<byte[]> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
        HEADERS.forEach(name -> answer.headers()
                .allValues(name)
                .forEach(value -> exchange.getResponseHeaders().add(name, value)));
        boolean chain = answer.headers().firstValue("Content-Type").orElse("").contains("pem-certificate-chain");
        byte[] body = spoiled && chain ? badChain.getBytes(StandardCharsets.US_ASCII) : answer.body();
        exchange.sendResponseHeaders(answer.statusCode(), body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
    }

    private static void answer(HttpExchange exchange, int status, String type, String body) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.sendResponseHeaders(status, exchange.getRequestMethod().equals("HEAD") ? -1 : body.length());
        exchange.getResponseBody().write(body.getBytes(StandardCharsets.US_ASCII));
    }
}
