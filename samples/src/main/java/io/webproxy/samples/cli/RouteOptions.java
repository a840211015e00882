package io.webproxy.samples.cli;

import io.webproxy.ProxyConfig;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options for routes: requests that go to another service than the default one. */
final class RouteOptions {
    /** The path may contain an equals sign, so a URL must follow. Two slashes mark a host. */
    private static final Pattern ROUTE =
            Pattern.compile("(?<named>//)?(?<host>[^/=]*)(?<path>/.*?)?=(?<urls>(?:https?|h2c|https\\+h2)://.*)");

    /** A route whose URL has another scheme. */
    private static final Pattern OTHER_SCHEME = Pattern.compile("[^=]*=(?<url>[A-Za-z][A-Za-z0-9+.-]*://[^,]*).*");

    private static final Pattern HOST_AND_PORT = Pattern.compile("[A-Za-z0-9._-]+:[0-9]{1,5}");

    @Option(
            names = "--route",
            paramLabel = "HOST/PATH=URL[,URL…]",
            description =
                    "Requests for this host and path prefix go to this service; may be repeated. An empty HOST is any"
                            + " host: /api/=URL. A host without a dot is written with two slashes: //nas/=URL. Several"
                            + " URLs take turns.")
    private List<String> routes = new ArrayList<>();

    @Option(
            names = "--strip",
            paramLabel = "HOST/PATH=URL[,URL…]",
            description = "The same, and the service sees the path without the prefix.")
    private List<String> stripped = new ArrayList<>();

    boolean isEmpty() {
        return routes.isEmpty() && stripped.isEmpty();
    }

    /**
     * Adds the routes.
     *
     * @param several how one of several URLs is chosen
     * @param byDefault whether other requests go to a default service
     */
    void applyTo(
            ProxyConfig.Builder builder,
            Consumer<Route.Builder> hostHeader,
            SeveralOptions several,
            boolean byDefault) {
        Map<String, Given> before = new HashMap<>();
        if (byDefault) {
            before.put("/", new Given("--to", ""));
        }
        routes.forEach(route -> add(builder, hostHeader, several, read("--route", route), before));
        stripped.forEach(route -> add(builder, hostHeader, several, read("--strip", route), before));
    }

    /**
     * One route option.
     *
     * @param urls separated by commas
     */
    private record Given(
            String option, @Nullable String host, @Nullable String path, String urls) {
        Given(String option, String urls) {
            this(option, null, null, urls);
        }

        void describe(Route.Builder route, SeveralOptions several) {
            if (host != null) {
                route.host(host);
            }
            if (path != null) {
                route.path(path);
            }
            several.forward(route, Stream.of(urls.split(",")).map(Upstream::of).toList());
        }
    }

    private static Given read(String option, String text) {
        Matcher route = ROUTE.matcher(text);
        Matcher other = OTHER_SCHEME.matcher(text);
        if (!route.matches() && other.matches()) {
            checkUrl(option, other.group("url"));
        }
        String host = route.matches() ? route.group("host") : "";
        String path = route.matches() ? route.group("path") : null;
        boolean named = route.matches() && route.group("named") != null;
        if (!route.matches() || (host.isEmpty() && (named || path == null))) {
            throw Complaint.wrong(
                    option,
                    text,
                    "HOST/PATH=URL, such as chat.example.com/api/=http://127.0.0.1:3000, or /api/=… for any host");
        }
        String urls = route.group("urls");
        if (!named && isOneLabel(host)) {
            // many users leave out the first slash of a path: the route would wait for a host of that name
            throw Complaint.wrong(
                    option,
                    text,
                    "/" + text + " for the path, or //" + host + (path == null ? "/" : path) + "=" + urls
                            + " for the host " + host);
        }
        for (String url : urls.split(",", -1)) {
            checkUrl(option, url);
        }
        return new Given(option, host.isEmpty() ? null : host, path, urls);
    }

    private static boolean isOneLabel(String host) {
        return !host.isEmpty()
                && !host.equalsIgnoreCase("localhost")
                && host.chars().noneMatch(c -> ".:[*".indexOf(c) >= 0);
    }

    /** Refuses an invalid upstream, and suggests what was probably meant. */
    static void checkUrl(String option, String url) {
        if (url.isBlank()) {
            throw Complaint.wrong(option, "an empty URL", "http://host:port or https://host:port");
        }
        if (HOST_AND_PORT.matcher(url).matches()) {
            throw Complaint.wrong(option, url, "http://" + url + " or https://" + url + ", h2c://" + url + " for gRPC");
        }
        Complaint.of(option, () -> Upstream.of(url));
    }

    private static void add(
            ProxyConfig.Builder builder,
            Consumer<Route.Builder> hostHeader,
            SeveralOptions several,
            Given given,
            Map<String, Given> before) {
        Route.Builder described = Route.builder();
        Complaint.of(given.option, () -> {
            given.describe(described, several);
            return given;
        });
        Route route = described.build();
        String place = route.host() + route.path().toString();
        Given other = before.putIfAbsent(place, given);
        if (other != null) {
            throw twice(place, given, other);
        }
        builder.route(r -> {
            given.describe(r, several);
            hostHeader.accept(r);
            if (given.option.equals("--strip")) {
                r.stripPrefix();
            }
        });
    }

    private static IllegalArgumentException twice(String place, Given given, Given other) {
        if (other.option.equals("--to")) {
            return Complaint.wrong(
                    given.option, place, "another host or path: all other requests go to --internal-port or --to");
        }
        return Complaint.wrong(
                given.option,
                place + " is given twice",
                given.option.equals(other.option)
                        ? "once, with its URLs separated by commas: " + place + "=" + other.urls + "," + given.urls
                        : "either --route or --strip for it");
    }
}
