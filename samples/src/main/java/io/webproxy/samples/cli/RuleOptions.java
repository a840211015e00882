package io.webproxy.samples.cli;

import io.webproxy.port.InsideBuilder;
import io.webproxy.port.PortBuilder;
import io.webproxy.port.Relay;
import io.webproxy.port.Sni;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options for the rules of a port: which connections go where. */
final class RuleOptions {
    private static final String HERE = "here";
    private static final String REDIRECT = "redirect";
    private static final Duration LEAST = Duration.ofMillis(10);
    private static final Duration MOST = Duration.ofSeconds(5);

    @Option(
            names = "--ssh",
            paramLabel = "HOST:PORT",
            description = "Where SSH goes. Here and below, HOST:PORT may be several, separated by commas: they take"
                    + " turns, and one that can't be connected to is skipped.")
    private @Nullable String ssh;

    @Option(
            names = "--http",
            paramLabel = "TARGET",
            description = "What becomes of cleartext HTTP: here (to --internal-port, --to or the routes), redirect (to"
                    + " HTTPS on this port), or HOST:PORT.")
    private @Nullable String http;

    @Option(
            names = "--tls",
            paramLabel = "TARGET",
            description =
                    "What becomes of TLS: here (it ends here, and HTTP inside goes to --internal-port, --to or the"
                            + " routes), or HOST:PORT (untouched).")
    private @Nullable String tls;

    @Option(
            names = "--pass-through",
            paramLabel = "NAME=HOST:PORT",
            description = "TLS for this server name (SNI) goes there untouched, before --tls; may be repeated. NAME is"
                    + " a name or *.domain, which is tried after the names.")
    private List<String> passThrough = new ArrayList<>();

    @Option(
            names = "--inside-ssh",
            paramLabel = "NAME=HOST:PORT",
            description =
                    "TLS for this server name ends here, and SSH inside goes there: for networks that let only TLS"
                            + " out; may be repeated. HTTP inside goes to the routes.")
    private List<String> insideSsh = new ArrayList<>();

    @Option(names = "--socks5", paramLabel = "HOST:PORT", description = "Where SOCKS5 goes.")
    private @Nullable String socks5;

    @Option(names = "--openvpn", paramLabel = "HOST:PORT", description = "Where OpenVPN over TCP goes.")
    private @Nullable String openVpn;

    @Option(names = "--postgresql", paramLabel = "HOST:PORT", description = "Where PostgreSQL goes.")
    private @Nullable String postgreSql;

    @Option(
            names = "--match",
            paramLabel = "NAME:HEX=HOST:PORT",
            description = "Connections whose first bytes are HEX go there, under this name in the log; may be repeated,"
                    + " and tried in this order, after the rules above. HEX@OFFSET is further on, HEX/MASK compares"
                    + " only the bits of MASK.")
    private List<String> matches = new ArrayList<>();

    @Option(
            names = "--on-timeout",
            paramLabel = "HOST:PORT",
            description = "Where clients go that send nothing within --detect-time, because they wait for the server to"
                    + " speak first; default: they are closed.")
    private @Nullable String onTimeout;

    @Option(
            names = "--detect-time",
            paramLabel = "TIME",
            description = "How long a client may stay silent before it is taken to wait for the server, 10ms to 5s;"
                    + " default: 2s.")
    private @Nullable String detectTime;

    @Option(
            names = "--otherwise",
            paramLabel = "HOST:PORT",
            description = "Where connections go that no other rule takes; default: they are closed.")
    private @Nullable String otherwise;

    /** Whether HTTP goes to the routes, in cleartext or over TLS. */
    boolean isServed() {
        return HERE.equalsIgnoreCase(http) || HERE.equalsIgnoreCase(tls);
    }

    boolean hasInside() {
        return !insideSsh.isEmpty();
    }

    /** Whether some TLS is terminated here. */
    boolean endsTls() {
        return HERE.equalsIgnoreCase(tls) || hasInside();
    }

    private static boolean isRelay(@Nullable String target) {
        return target != null && !target.equalsIgnoreCase(HERE) && !target.equalsIgnoreCase(REDIRECT);
    }

    /** The targets by the options that name them, those of an option separated by commas. */
    private Map<String, String> targets() {
        Map<String, String> targets = new HashMap<>();
        put("--ssh", ssh, targets);
        put("--http", isRelay(http) ? http : null, targets);
        put("--tls", isRelay(tls) ? tls : null, targets);
        put("--pass-through", afterEquals(passThrough), targets);
        put("--inside-ssh", afterEquals(insideSsh), targets);
        put("--socks5", socks5, targets);
        put("--openvpn", openVpn, targets);
        put("--postgresql", postgreSql, targets);
        put("--match", afterEquals(matches), targets);
        put("--on-timeout", onTimeout, targets);
        put("--otherwise", otherwise, targets);
        return targets;
    }

    private static void put(String option, @Nullable String given, Map<String, String> targets) {
        if (given != null) {
            targets.put(option, given);
        }
    }

    private static @Nullable String afterEquals(List<String> texts) {
        return texts.isEmpty()
                ? null
                : texts.stream()
                        .map(text -> text.substring(text.lastIndexOf('=') + 1))
                        .collect(Collectors.joining(","));
    }

    /** Refuses combinations that make no sense. */
    void check() {
        if (http == null && tls == null && targets().isEmpty()) {
            throw new IllegalArgumentException(
                    "There is no rule (expected: at least one of --ssh, --http, --tls, --pass-through, --inside-ssh,"
                            + " --socks5, --openvpn, --postgresql, --match, --on-timeout and --otherwise)");
        }
        if (tls != null && REDIRECT.equalsIgnoreCase(tls)) {
            throw Complaint.wrong("--tls", tls, "here, or HOST:PORT");
        }
        // before other options are checked: a misspelt "here" would make those look wrong
        if (http != null && isRelay(http)) {
            Targets.of("--http", http);
        }
        if (tls != null && isRelay(tls)) {
            Targets.of("--tls", tls);
        }
        if (REDIRECT.equalsIgnoreCase(http) && !endsTls() && tls == null && passThrough.isEmpty()) {
            throw Complaint.wrong("--http", "redirect without TLS", "--tls here with it: it redirects to HTTPS");
        }
    }

    /** Adds the rules: SSH, server names, other TLS, HTTP, rarer protocols, then byte patterns. */
    void applyTo(PortBuilder port, RelayOptions relays) {
        relays.targetsOf(targets());
        relay("--ssh", ssh, relays, port::ssh);
        addNames(port, relays);
        if (HERE.equalsIgnoreCase(tls)) {
            port.https();
        } else {
            relay("--tls", tls, relays, relay -> port.tls(Sni.any(), relay));
        }
        if (HERE.equalsIgnoreCase(http)) {
            port.http();
        } else if (REDIRECT.equalsIgnoreCase(http)) {
            port.redirectHttp();
        } else {
            relay("--http", http, relays, port::http);
        }
        relay("--socks5", socks5, relays, port::socks5);
        relay("--openvpn", openVpn, relays, port::openVpn);
        relay("--postgresql", postgreSql, relays, port::postgreSql);
        for (String match : matches) {
            Targets.Matched rule = Targets.Matched.of("--match", match);
            Relay relay = relays.relay("--match", rule.targets());
            Complaint.of("--match", () -> port.match(rule.name(), rule.pattern(), relay));
        }
        relay("--on-timeout", onTimeout, relays, port::silent);
        relay("--otherwise", otherwise, relays, port::otherwise);
        relays.checkUsed();
        if (detectTime != null) {
            port.detectTime(detectTime());
        }
    }

    private static void relay(String option, @Nullable String targets, RelayOptions relays, Consumer<Relay> add) {
        if (targets != null) {
            add.accept(relays.relay(option, targets));
        }
    }

    /** A name wins over a wildcard that covers it, whichever comes first. */
    private void addNames(PortBuilder port, RelayOptions relays) {
        Map<Sni, Runnable> names = new LinkedHashMap<>();
        passThrough.forEach(text -> {
            Targets.Named name = Targets.Named.of("--pass-through", text);
            Relay relay = relays.relay("--pass-through", name.targets());
            addName("--pass-through", name.sni(), () -> port.tls(name.sni(), relay), names);
        });
        insideSsh.forEach(text -> {
            Targets.Named name = Targets.Named.of("--inside-ssh", text);
            Relay relay = relays.relay("--inside-ssh", name.targets());
            addName("--inside-ssh", name.sni(), () -> port.tls(name.sni(), inside -> look(inside, relay)), names);
        });
        names.entrySet().stream()
                .sorted(Comparator.comparing(entry -> Targets.isWildcard(entry.getKey())))
                .forEach(entry -> entry.getValue().run());
    }

    private static void addName(String option, Sni name, Runnable add, Map<Sni, Runnable> names) {
        if (names.putIfAbsent(name, add) != null) {
            throw Complaint.wrong(option, name + " is given twice", "each server name once");
        }
    }

    /** Relays a client within TLS that waits for the server to speak first: the option says that SSH is inside. */
    private void look(InsideBuilder inside, Relay relay) {
        inside.ssh(relay).silent(relay);
        if (detectTime != null) {
            inside.detectTime(detectTime());
        }
    }

    private Duration detectTime() {
        String text = String.valueOf(detectTime);
        Duration time = Times.read(text);
        if (time == null || time.compareTo(LEAST) < 0 || time.compareTo(MOST) > 0) {
            throw Complaint.wrong("--detect-time", text, "10ms to 5s");
        }
        return time;
    }
}
