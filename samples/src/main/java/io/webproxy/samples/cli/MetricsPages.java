package io.webproxy.samples.cli;

import io.webproxy.http.Answer;
import io.webproxy.http.RequestHead;
import io.webproxy.route.FilterDecision;
import io.webproxy.route.RequestFilter;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * The pages for Prometheus and for health checks. They answer {@code GET} and {@code HEAD} of hosts that are loopback
 * names or the bound address, so that a web page can't read them by a name of its own for that address (DNS rebinding);
 * an endpoint of all addresses answers any address. Thread-safe.
 */
final class MetricsPages implements RequestFilter {
    private static final String PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";
    private static final String OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    private static final Pattern IPV4 = Pattern.compile(OCTET + "(\\." + OCTET + "){3}");
    private static final Pattern PORT = Pattern.compile("(:[0-9]*)?$");

    private final InetAddress bound;
    private final Supplier<String> scrape;
    private final BooleanSupplier live;
    private final BooleanSupplier ready;

    MetricsPages(InetAddress bound, Supplier<String> scrape, BooleanSupplier live, BooleanSupplier ready) {
        this.bound = bound;
        this.scrape = scrape;
        this.live = live;
        this.ready = ready;
    }

    @Override
    public FilterDecision filter(RequestHead request) {
        return FilterDecision.answer(answer(request)
                .withHeader("Cache-Control", "no-store")
                .withHeader("X-Content-Type-Options", "nosniff"));
    }

    private Answer answer(RequestHead request) {
        if (!isOwn(request.authority())) {
            return Answer.text(421, "This isn't the host of the metrics.\n");
        }
        if (!request.method().equals("GET") && !request.method().equals("HEAD")) {
            return Answer.text(405, "Only GET and HEAD.\n").withHeader("Allow", "GET, HEAD");
        }
        return switch (request.path()) {
            case "/metrics" -> Answer.of(200, PROMETHEUS, scrape.get().getBytes(StandardCharsets.UTF_8));
            case "/livez" -> health(live.getAsBoolean());
            case "/readyz" -> health(ready.getAsBoolean());
            default -> Answer.text(404, "There are /metrics, /livez and /readyz.\n");
        };
    }

    private static Answer health(boolean good) {
        return good ? Answer.text(200, "ok\n") : Answer.text(503, "unavailable\n");
    }

    private boolean isOwn(String authority) {
        String host = PORT.matcher(authority).replaceFirst("").toLowerCase(Locale.ROOT);
        if (host.equals("localhost") || host.endsWith(".localhost")) {
            return true;
        }
        boolean ipv6 = host.startsWith("[") && host.endsWith("]");
        if (!ipv6 && !IPV4.matcher(host).matches()) {
            return false;
        }
        try {
            // no look-up: it is no name
            InetAddress named = InetAddress.getByName(host);
            return named.isLoopbackAddress() || named.equals(bound) || bound.isAnyLocalAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }
}
