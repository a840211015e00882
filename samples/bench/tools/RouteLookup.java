package bench;

import io.webproxy.http.RequestHead;
import io.webproxy.route.Route;
import io.webproxy.spi.RouteTable;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * What finding the route of a request costs: in a table of hosts with paths below them, wildcards, and paths for any
 * host.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class RouteLookup {
    private static final int REQUESTS = 4096;

    /** Which requests: for exact hosts, wildcards, any host, and nothing at all; or all of them in turn. */
    @Param({"exact", "wildcard", "any", "miss", "conditions", "mixed"})
    public String requests;

    @Param({"10", "1000"})
    public int routes;

    private RouteTable table;
    private String[] hosts;
    private String[] paths;
    private Head[] heads;
    private int next;

    /** The table and the requests. */
    @Setup
    public void setUp() {
        List<Route> all = new ArrayList<>();
        for (int i = 0; all.size() < routes; i++) {
            String host = "tenant-" + i + ".example.com";
            all.add(route(host, "/"));
            all.add(route(host, "/api/"));
            all.add(route(host, "/api/v1/models"));
            all.add(route("*.apps-" + i + ".example.com", "/"));
            all.add(route(null, "/service-" + i + "/"));
            all.add(route(null, "/service-" + i + "/v1/chat/completions"));
            all.add(Route.builder()
                    .host(host)
                    .path("/upload")
                    .matchMethod("POST")
                    .matchHeader("X-Version", "2")
                    .forward("http://h")
                    .build());
            all.add(Route.builder()
                    .host(host)
                    .path("/upload")
                    .matchMethod("POST")
                    .forward("http://h")
                    .build());
        }
        table = new RouteTable(all.subList(0, routes));
        hosts = new String[REQUESTS];
        paths = new String[REQUESTS];
        heads = new Head[REQUESTS];
        Random random = new Random(1);
        String[] kinds = {"exact", "wildcard", "any", "miss", "conditions"};
        for (int i = 0; i < REQUESTS; i++) {
            int n = random.nextInt(Math.max(1, routes / 8));
            String kind = requests.equals("mixed") ? kinds[i % kinds.length] : requests;
            String[] request = switch (kind) {
                case "exact" -> new String[] {"tenant-" + n + ".example.com", "/api/v1/models/" + random.nextInt(1000)};
                case "wildcard" -> new String[] {"a" + i + ".apps-" + n + ".example.com", "/static/js/app.js"};
                case "any" -> new String[] {"192.0.2.7", "/service-" + n + "/v1/chat/completions"};
                case "miss" -> new String[] {"tenant-" + n + ".example.org", "/service-" + n + "x/v1/chat/completions"};
                default -> new String[] {"tenant-" + n + ".example.com", "/upload/files/" + i};
            };
            hosts[i] = request[0];
            paths[i] = request[1];
            heads[i] = new Head(i % 2 == 0 ? "POST" : "GET", i % 3 == 0 ? Map.of("X-Version", "2") : Map.of());
        }
        for (int i = 0; i < REQUESTS; i++) {
            Route found = find();
            boolean miss = hosts[next].endsWith(".org");
            if ((found == null) != miss
                    || (found != null && requests.equals("any") && !found.host().isAny())) {
                throw new IllegalStateException(hosts[next] + paths[next] + ": " + found);
            }
        }
    }

    private static Route route(String host, String path) {
        Route.Builder builder = Route.builder().path(path).forward("http://h");
        return (host == null ? builder : builder.host(host)).build();
    }

    /** One look-up. */
    @Benchmark
    public Route find() {
        next = next + 1 & REQUESTS - 1;
        return table.find(hosts[next], paths[next], heads[next]);
    }

    /** A request head of which method and fields count. */
    private record Head(String method, Map<String, String> fields) implements RequestHead {
        @Override
        public Optional<String> header(String name) {
            return Optional.ofNullable(fields.get(name));
        }

        @Override
        public List<String> headers(String name) {
            return header(name).map(List::of).orElse(List.of());
        }

        @Override
        public String scheme() {
            return "https";
        }

        @Override
        public String authority() {
            return "localhost";
        }

        @Override
        public String path() {
            return "/";
        }

        @Override
        public String query() {
            return "";
        }

        @Override
        public String protocol() {
            return "HTTP/1.1";
        }

        @Override
        public InetAddress clientAddress() {
            return InetAddress.getLoopbackAddress();
        }
    }
}
