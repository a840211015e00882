import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * {@code upstream PORT FILE} answers requests and appends each that it has executed to a file, until it is killed; {@code load URI STOP FILE…} asks a
 * proxy in front of several of them until there is a file STOP, and then compares: no GET may fail, no POST may be executed twice, and one that was answered 200 must have been
 * executed.
 */
public final class Restarts {
    private static final int CLIENTS = 16;
    private static final long ANSWER_NANOS = TimeUnit.MILLISECONDS.toNanos(30);

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
        try (ServerSocket server = new ServerSocket()) {
            server.setReuseAddress(true);
            server.bind(new InetSocketAddress("127.0.0.1", port));
            System.out.println("ready http://127.0.0.1:" + server.getLocalPort() + "/");
            while (true) {
                Socket client = server.accept();
                new Thread(() -> serve(client, executed)).start();
            }
        }
    }

    private static void serve(Socket client, Path executed) {
        try (client) {
            client.setTcpNoDelay(true);
            InputStream in = new BufferedInputStream(client.getInputStream());
            for (String line = line(in); !line.isEmpty(); line = line(in)) {
                String[] words = line.split(" ");
                int length = 0;
                for (String field = line(in); !field.isEmpty(); field = line(in)) {
                    if (field.regionMatches(true, 0, "content-length:", 0, 15)) {
                        length = Integer.parseInt(field.substring(15).trim());
                    }
                }
                in.readNBytes(length);
                String what = words[0] + words[1] + "\n";
                Files.writeString(executed, what, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                // a kill is to find requests that are executed and not answered: one that is sent again then is executed twice
                LockSupport.parkNanos(ANSWER_NANOS);
                // in one write: a kill between head and body would cut the response, which nothing can repair
                client.getOutputStream()
                        .write(("HTTP/1.1 200 OK\r\nContent-Length: " + what.length() + "\r\n\r\n" + what)
                                .getBytes(StandardCharsets.US_ASCII));
            }
        } catch (IOException e) {
            // the proxy has closed the connection
        }
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int b = in.read(); b >= 0 && b != '\n'; b = in.read()) {
            if (b != '\r') {
                line.append((char) b);
            }
        }
        return line.toString();
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
        long unanswered = answers.entrySet().stream()
                .filter(e -> e.getKey().startsWith("POST") && e.getValue() != 200 && executions.containsKey(e.getKey()))
                .count();
        long lost = answers.entrySet().stream()
                .filter(e -> e.getKey().startsWith("GET") && e.getValue() != 200)
                .count();
        long unexecuted = answers.entrySet().stream()
                .filter(e -> e.getValue() == 200 && !executions.containsKey(e.getKey()))
                .count();
        System.out.printf(
                "%s; GETs lost: %d, executed twice: %d; POSTs executed twice: %d, executed and not answered: %d; answered 200 and not executed: %d%n",
                new TreeMap<>(results), lost, getsTwice, twice, unanswered, unexecuted);
        if (unanswered == 0) {
            System.out.println("no kill found a POST that was executed and not answered: this run shows nothing of POSTs");
        }
        return lost == 0 && twice == 0 && unexecuted == 0 && unanswered > 0;
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
            System.out.println(method + ": " + e);
            return -1;
        }
    }
}
