package io.webproxy.spi;

import io.webproxy.route.FakeRequest;
import io.webproxy.route.Route;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;

/** Routes and requests by chance, of so few names that they meet; and the route that a request has by definition. */
final class RandomRoutes {
    private static final String[] HOSTS = {"a.test", "b.test", "test", "x.a.test", "[::1]", "a.other", ""};
    private static final String[] PATTERNS = {"", "", "a.test", "b.test", "*.test", "*.a.test", "test", "[::1]"};
    private static final String[] SEGMENTS = {"a", "b", "ab", "a%2Fb", "...", "a;b"};
    private static final String[] METHODS = {"GET", "POST"};

    private final Random random;

    RandomRoutes(long seed) {
        this.random = new Random(seed);
    }

    List<Route> routes() {
        List<Route> routes = new ArrayList<>();
        for (int i = random.nextInt(40); i >= 0; i--) {
            Route.Builder builder = Route.builder().name("r" + i).path(prefix()).forward("http://127.0.0.1:1");
            String host = one(PATTERNS);
            if (!host.isEmpty()) {
                builder.host(host);
            }
            if (random.nextInt(4) == 0) {
                builder.matchMethod(one(METHODS));
            }
            if (random.nextInt(6) == 0) {
                builder.matchHeader("X-A", "1");
            }
            if (random.nextInt(3) == 0) {
                builder.stripPrefix();
            }
            routes.add(builder.build());
        }
        return routes;
    }

    String host() {
        return one(HOSTS);
    }

    String path() {
        return random.nextInt(30) == 0 ? "*" : prefix();
    }

    FakeRequest request() {
        return random.nextBoolean() ? new FakeRequest(one(METHODS)) : new FakeRequest(one(METHODS), "x-a: 1");
    }

    private String prefix() {
        StringBuilder path = new StringBuilder();
        for (int i = random.nextInt(4); i > 0; i--) {
            path.append('/').append(one(SEGMENTS));
        }
        return path.isEmpty() || random.nextInt(3) == 0 ? path.append('/').toString() : path.toString();
    }

    private String one(String[] of) {
        return of[random.nextInt(of.length)];
    }

    /**
     * Exact host, wildcard, any; of one host the longest prefix, one that is to be redirected counts as the path
     * itself; then the order.
     */
    static Route defined(List<Route> routes, String host, String path, FakeRequest request) {
        Comparator<Route> precedence = Comparator.<Route>comparingInt(
                        route -> route.host().isAny() ? 2 : route.host().isWildcard() ? 1 : 0)
                .thenComparingInt(route -> -Math.min(route.path().length(), path.length()))
                .thenComparing(route -> !route.path().matches(path))
                .thenComparingInt(route -> -route.path().length());
        return routes.stream()
                .filter(route -> route.host().matches(host) && route.accepts(request))
                .filter(route -> route.path().matches(path)
                        || (route.rewrite().prefix().isPresent()
                                && route.path().toString().equals(path + "/")))
                .min(precedence)
                .orElse(null);
    }
}
