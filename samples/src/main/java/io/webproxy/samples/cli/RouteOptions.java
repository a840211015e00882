package io.webproxy.samples.cli;

import io.webproxy.ProxyConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** Which requests go to another service than the one for the rest. */
final class RouteOptions {
    /** The path may have an equals sign, so what is behind it has to be a URL. */
    private static final Pattern ROUTE = Pattern.compile("(?<host>[^/=]*)(?<path>/.*?)?=(?<urls>https?://.*)");

    @Option(
            names = "--route",
            paramLabel = "HOST/PATH=URL[,URL…]",
            description =
                    "Requests for this host and path prefix go to this service; may be repeated. An empty HOST is any host;"
                            + " several URLs take turns.")
    private List<String> routes = new ArrayList<>();

    @Option(
            names = "--strip",
            paramLabel = "HOST/PATH=URL[,URL…]",
            description = "The same, and the service sees the path without the prefix.")
    private List<String> stripped = new ArrayList<>();

    boolean isEmpty() {
        return routes.isEmpty() && stripped.isEmpty();
    }

    void applyTo(ProxyConfig.Builder builder) {
        routes.forEach(route -> add(builder, "--route", route, false));
        stripped.forEach(route -> add(builder, "--strip", route, true));
    }

    private static void add(ProxyConfig.Builder builder, String option, String text, boolean strip) {
        Matcher route = ROUTE.matcher(text);
        if (!route.matches()) {
            throw new IllegalArgumentException(option + ": " + text
                    + " (expected: HOST/PATH=URL, such as chat.example.com/api/=http://127.0.0.1:3000)");
        }
        String host = route.group("host");
        String path = route.group("path");
        builder.route(r -> {
            if (!host.isEmpty()) {
                r.host(host);
            }
            if (path != null) {
                r.path(path);
            }
            if (strip) {
                r.stripPrefix();
            }
            r.forward(route.group("urls").split(","));
        });
    }
}
