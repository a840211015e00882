package io.webproxy.samples.cli;

import io.webproxy.ProxyServer;
import io.webproxy.ProxyStatus;
import io.webproxy.route.Upstream;
import io.webproxy.samples.cli.Terminal.Colour;
import io.webproxy.tls.CertificateStatus;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a person wants to know of a started server, in five lines: the address, the certificate, who serves TLS, whether
 * the upstreams answer, and the status page. Programs get none of it.
 */
final class StartLines {
    private static final int LABEL = 13;
    private static final int MOST_TRIED = 4;
    private static final int CONNECT_MILLIS = 500;
    private static final long SOON_DAYS = 14;

    private final ProxyServer proxy;
    private final boolean untrusted;
    private final @Nullable String statusPage;

    /**
     * The lines of a server.
     *
     * @param untrusted whether its certificate is a self-signed one that nobody has asked for
     * @param statusPage the address of its status page; null without one
     */
    StartLines(ProxyServer proxy, boolean untrusted, @Nullable String statusPage) {
        this.proxy = proxy;
        this.untrusted = untrusted;
        this.statusPage = statusPage;
    }

    private record Line(String label, String text, Colour colour) {}

    /** Prints them if a person reads along. */
    void print(PrintWriter out) {
        if (Terminal.isThere()) {
            lines(Terminal.of(System.getenv()), StartLines::answers).forEach(out::println);
            out.flush();
        }
    }

    /** The lines, for this terminal; {@code answers} tries an upstream. */
    List<String> lines(Terminal terminal, Predicate<Upstream> answers) {
        ProxyStatus status = proxy.status();
        return Stream.of(
                        new Line("Open", terminal.link(proxy.uri().toString()), Colour.NONE),
                        certificate(status),
                        new Line(
                                "TLS",
                                status.tlsProvider().isEmpty() ? "none" : "by " + status.tlsProvider(),
                                Colour.NONE),
                        upstreams(answers),
                        statusPage == null
                                ? new Line("Status page", "none", Colour.DIM)
                                : new Line("Status page", terminal.link(statusPage), Colour.NONE))
                .map(line -> "  "
                        + terminal.coloured(
                                line.label() + " ".repeat(LABEL - line.label().length()), Colour.DIM)
                        + terminal.coloured(line.text(), line.colour()))
                .toList();
    }

    private Line certificate(ProxyStatus status) {
        List<CertificateStatus> all = status.certificates();
        if (all.isEmpty()) {
            return new Line("Certificate", "none: what passes can be read and changed on its way", Colour.WARN);
        }
        CertificateStatus first = all.get(0);
        String names = names(first.names());
        String others = all.size() == 1 ? "" : ", and " + (all.size() - 1) + " more certificates";
        Instant end = first.notAfter().orElse(null);
        if (end == null) {
            return new Line(
                    "Certificate",
                    names + ": not there yet, a self-signed one serves"
                            + first.lastError().map(error -> "; " + error).orElse("") + others,
                    Colour.WARN);
        }
        long days = Math.max(0, Duration.between(Instant.now(), end).toDays());
        StringBuilder text = new StringBuilder(names).append(", ").append(days).append(" days left");
        first.nextAttempt()
                .ifPresent(next -> text.append(", renewed on ")
                        .append(next.atZone(ZoneOffset.UTC).toLocalDate()));
        first.lastError().ifPresent(error -> text.append("; ").append(error));
        text.append(others);
        if (untrusted) {
            text.append("; self-signed: browsers warn, --acme or --cert helps");
        }
        boolean worry = untrusted || first.lastError().isPresent();
        return new Line(
                "Certificate",
                text.toString(),
                days == 0
                        ? Colour.BAD
                        : worry || days < SOON_DAYS && first.nextAttempt().isEmpty() ? Colour.WARN : Colour.GOOD);
    }

    private static String names(List<String> names) {
        return names.isEmpty()
                ? "one without a name"
                : names.size() == 1
                        ? names.get(0)
                        : String.format(Locale.ROOT, "%s and %d more", names.get(0), names.size() - 1);
    }

    private Line upstreams(Predicate<Upstream> answers) {
        List<Upstream> all = proxy.config().routes().stream()
                .flatMap(route -> route.upstreams().stream())
                .distinct()
                .toList();
        List<Upstream> tried = all.subList(0, Math.min(all.size(), MOST_TRIED));
        List<Upstream> silent = new ArrayList<>(tried);
        silent.removeIf(answers);
        String rest = all.size() > tried.size() ? "; " + (all.size() - tried.size()) + " more weren't tried" : "";
        if (all.isEmpty()) {
            return new Line("Upstream", "none of a route", Colour.DIM);
        }
        if (!silent.isEmpty()) {
            return new Line(
                    "Upstream",
                    silent.get(0) + " doesn't accept connections" + (silent.size() == 1 ? "" : ", nor do others")
                            + ": start it, or correct its address; until then requests get 502 or 504" + rest,
                    Colour.BAD);
        }
        return new Line(
                "Upstream",
                all.size() == 1 ? all.get(0) + " accepts connections" : tried.size() + " accept connections" + rest,
                Colour.GOOD);
    }

    private static boolean answers(Upstream upstream) {
        String host = upstream.host();
        try (Socket socket = new Socket()) {
            socket.connect(
                    new InetSocketAddress(
                            host.startsWith("[") ? host.substring(1, host.length() - 1) : host, upstream.port()),
                    CONNECT_MILLIS);
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
