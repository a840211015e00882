package io.webproxy.samples;

import io.webproxy.ProxyServer;
import io.webproxy.ProxyStartException;
import io.webproxy.route.Route;
import io.webproxy.route.UpstreamGroup;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reloads routes from a file whenever it changes, with one update: each line is {@code HOST PATH -> URI…}, with
 * {@code *} for any host. Live streams of unchanged routes continue. An invalid file changes nothing, and is reported
 * in one sentence with the line.
 */
public final class ReloadRoutes {
    private static final String LINE = "HOST PATH -> URI…, such as: chat.example.com / -> http://127.0.0.1:8080";

    private final Path file;
    private final ProxyServer proxy;
    private final PrintStream out;
    /** The last result: what was put in force, or refused. */
    private String done;

    private String seen;

    private ReloadRoutes(Path file, String text, ProxyServer proxy, PrintStream out) {
        this.file = file;
        this.proxy = proxy;
        this.out = out;
        this.done = text;
        this.seen = text;
    }

    /** Serves until the JVM ends; takes the file, default {@code routes.txt}, and the port, default 8443. */
    public static void main(String[] args) throws IOException, InterruptedException {
        Path file = Path.of(args.length == 0 ? "routes.txt" : args[0]);
        int port = args.length < 2 ? 8443 : Integer.parseInt(args[1]);
        try {
            run(file, port, Duration.ofSeconds(1), System.out);
        } catch (IllegalArgumentException e) {
            System.err.println(file + ", " + e.getMessage());
            System.exit(2);
        }
    }

    static void run(Path file, int port, Duration interval, PrintStream out) throws IOException, InterruptedException {
        String text = Files.readString(file);
        try (ProxyServer proxy = ProxyServer.builder()
                .https(port)
                .routes(List.copyOf(routes(text).keySet()))
                .closeOnShutdown(true)
                .start()) {
            out.printf("ready %s%ntry: change %s%n", proxy.uri(), file);
            ReloadRoutes reload = new ReloadRoutes(file, text, proxy, out);
            while (proxy.isRunning()) {
                Thread.sleep(interval.toMillis());
                reload.look();
            }
        }
    }

    /** Two checks must find the same content: the file may be in the middle of a write. */
    private void look() {
        String now;
        try {
            now = Files.readString(file);
        } catch (IOException e) {
            return; // the file is being replaced, or is gone: the routes stay
        }
        if (now.equals(seen) && !now.equals(done)) {
            done = now;
            out.println(applied(now));
        }
        seen = now;
    }

    private String applied(String text) {
        try {
            Map<Route, Integer> routes = routes(text);
            try {
                proxy.update(proxy.config().toBuilder()
                        .routes(List.copyOf(routes.keySet()))
                        .build());
                return "routes in force: " + routes.size();
            } catch (ProxyStartException e) {
                return unchanged(lineOf(routes, String.valueOf(e.getMessage())));
            }
        } catch (IllegalArgumentException e) {
            return unchanged(String.valueOf(e.getMessage()));
        }
    }

    private String unchanged(String problem) {
        return "unchanged: " + file + ", " + problem;
    }

    /** That an upstream is this server itself is only noticed when the routes are put in force. */
    private static String lineOf(Map<Route, Integer> routes, String problem) {
        return routes.entrySet().stream()
                .filter(entry -> problem.startsWith("route " + entry.getKey().name() + ":"))
                .findFirst()
                .map(entry -> "line " + entry.getValue() + ": " + problem)
                .orElse(problem);
    }

    /** Parses routes, each with its line number. */
    private static Map<Route, Integer> routes(String text) {
        Map<Route, Integer> routes = new LinkedHashMap<>();
        Map<String, Integer> names = new LinkedHashMap<>();
        List<String> lines = text.lines().map(String::strip).toList();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            try {
                Route route = route(line);
                Integer before = names.putIfAbsent(route.name(), i + 1);
                if (before != null) {
                    throw new IllegalArgumentException(
                            line + " (expected: each host and path only once; line " + before + " has it)");
                }
                routes.put(route, i + 1);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("line " + (i + 1) + ": " + e.getMessage(), e);
            }
        }
        if (routes.isEmpty()) {
            throw new IllegalArgumentException("no line with a route (expected: " + LINE + ")");
        }
        return routes;
    }

    private static Route route(String line) {
        String[] words = line.strip().split("\\s+", -1);
        if (words.length < 4 || !words[2].equals("->")) {
            throw new IllegalArgumentException(line + " (expected: " + LINE + ")");
        }
        // with this name, it is the same group as before if its line hasn't changed, and keeps its state
        UpstreamGroup group =
                UpstreamGroup.of(Arrays.copyOfRange(words, 3, words.length)).named(words[0] + words[1]);
        Route.Builder route = Route.builder().path(words[1]).forward(group);
        return (words[0].equals("*") ? route : route.host(words[0])).build();
    }
}
