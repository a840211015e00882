import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * {@code upstream PORT FILE} answers requests and appends each that it has executed to a file, until it is killed; {@code load URI STOP FILE…} asks a
 * proxy in front of several of them until there is a file STOP, and then compares: no GET may fail, no POST may be executed twice, and one that was answered 200 must have been
 * executed.
 */
public final class Restarts {
    private static final int CLIENTS = 16;

    private Restarts() {}

    public static void main(String[] args) throws Exception {
        if (args[0].equals("upstream")) {
            upstream(Integer.parseInt(args[1]), Path.of(args[2]));
        } else {
            List<Path> files = new ArrayList<>();
            for (int i = 3; i < args.length; i++) {
                files.add(Path.of(args[i]));
            }
            System.exit(load(URI.create(args[1]), Path.of(args[2]), files) ? 0 : 1);
        }
    }

    private static void upstream(int port, Path executed) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.setExecutor(Executors.newFixedThreadPool(CLIENTS));
        server.createContext("/", exchange -> answer(exchange, executed));
        server.start();
        System.out.println("ready http://127.0.0.1:" + server.getAddress().getPort() + "/");
    }

    private static void answer(HttpExchange exchange, Path executed) throws IOException {
        exchange.getRequestBody().readAllBytes();
        String what = exchange.getRequestMethod() + exchange.getRequestURI().getPath() + "\n";
        Files.writeString(executed, what, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        byte[] body = what.getBytes(StandardCharsets.US_ASCII);
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    private static boolean load(URI proxy, Path stop, List<Path> files) throws Exception {
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        AtomicInteger ids = new AtomicInteger();
        Map<String, Integer> results = new ConcurrentHashMap<>();
        Map<String, Integer> answers = new ConcurrentHashMap<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            Thread thread = new Thread(() -> {
                while (!Files.exists(stop)) {
                    int id = ids.incrementAndGet();
                    String method = id % 4 == 0 ? "POST" : "GET";
                    int status = ask(client, proxy, method, id);
                    answers.put(method + "/" + id, status);
                    results.merge(method + " " + status, 1, Integer::sum);
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        Map<String, Integer> executions = new HashMap<>();
        for (Path file : files) {
            Files.readAllLines(file).forEach(line -> executions.merge(line, 1, Integer::sum));
        }
        long twice = executions.entrySet().stream()
                .filter(e -> e.getKey().startsWith("POST") && e.getValue() > 1)
                .count();
        long getsTwice = executions.entrySet().stream()
                .filter(e -> e.getKey().startsWith("GET") && e.getValue() > 1)
                .count();
        long lost = answers.entrySet().stream()
                .filter(e -> e.getKey().startsWith("GET") && e.getValue() != 200)
                .count();
        long unexecuted = answers.entrySet().stream()
                .filter(e -> e.getValue() == 200 && !executions.containsKey(e.getKey()))
                .count();
        System.out.printf(
                "%s; GETs lost: %d, executed twice: %d; POSTs executed twice: %d; answered 200 and not executed: %d%n",
                new TreeMap<>(results), lost, getsTwice, twice, unexecuted);
        return lost == 0 && twice == 0 && unexecuted == 0;
    }

    private static int ask(HttpClient client, URI proxy, String method, int id) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(proxy.resolve("/" + id)).timeout(Duration.ofSeconds(20));
        if (method.equals("POST")) {
            request.POST(HttpRequest.BodyPublishers.ofString("id=" + id));
        }
        try {
            HttpResponse<String> response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            return response.body().equals(method + "/" + id + "\n") || response.statusCode() != 200
                    ? response.statusCode()
                    : -2;
        } catch (IOException | InterruptedException e) {
            return -1;
        }
    }
}
