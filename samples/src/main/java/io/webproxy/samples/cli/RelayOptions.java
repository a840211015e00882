package io.webproxy.samples.cli;

import io.webproxy.port.Relay;
import io.webproxy.spi.IpLiteral;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * The options that apply to several targets of connections: how they learn the client's address, rate limits, and the
 * log.
 */
final class RelayOptions {
    /** Options with SSH targets: they know a client by its address alone, and attract password guessing. */
    private static final Set<String> SSH = Set.of("--ssh", "--inside-ssh", "--on-timeout");
    /** Options with targets that may support the PROXY protocol. */
    private static final Set<String> TOLD = Set.of("--http", "--tls", "--pass-through", "--match", "--otherwise");

    @Option(
            names = "--proxy-protocol",
            paramLabel = "VERSION",
            description = "Tells targets the client's address by a header of the PROXY protocol, v1 or v2: those of"
                    + " --http, --tls, --pass-through, --match and --otherwise, also where another option names the"
                    + " same target; others only where there is none of these.")
    private @Nullable ProxyHeader proxyProtocol;

    @Option(
            names = "--loopback-source",
            description =
                    "Connects from an address of 127.0.0.0/8 made of the client's, so that sshd tells clients apart:"
                            + " for --ssh, --inside-ssh and --on-timeout where the target is an IPv4 loopback address;"
                            + " for others only where there is none of these. Linux.")
    private boolean loopbackSource;

    @Option(
            names = "--new-per-minute",
            paramLabel = "N",
            converter = Numbers.PerMinute.class,
            description = "How many new connections one client address may open per minute, for each of --ssh,"
                    + " --inside-ssh and --on-timeout; for others only where there is none of these. Default: any"
                    + " number.")
    private @Nullable Integer newPerMinute;

    @Option(
            names = "--relay-log",
            paramLabel = "FILE",
            description =
                    "Where to append a line for each relayed connection when it ends or is refused, - for standard"
                            + " output; default: nowhere.")
    private @Nullable String relayLog;

    private final Set<String> relayed = new HashSet<>();
    /** The targets that support the PROXY protocol, whichever option names them. */
    private final Set<String> told = new HashSet<>();

    private boolean loopbackUsed;

    @Nullable String relayLog() {
        return relayLog;
    }

    /**
     * Sets the targets, before the first {@link #relay}: if no option names an SSH target, settings for SSH apply to
     * the others.
     *
     * @param targets by the option that names them, separated by commas
     */
    void targetsOf(Map<String, String> targets) {
        relayed.addAll(targets.keySet());
        TOLD.forEach(
                option -> told.addAll(List.of(targets.getOrDefault(option, "").split(",", -1))));
        if (relayed.isEmpty()) {
            checkUnused();
        }
    }

    private void checkUnused() {
        String option = proxyProtocol != null
                ? "--proxy-protocol"
                : loopbackSource
                        ? "--loopback-source"
                        : newPerMinute != null ? "--new-per-minute" : relayLog != null ? "--relay-log" : null;
        if (option != null) {
            throw Complaint.wrong(option, "given without a target", "an option with one, such as --ssh HOST:PORT");
        }
    }

    /** The relay to the targets of an option. */
    Relay relay(String option, String targets) {
        Relay relay = Targets.of(option, targets);
        if (newPerMinute != null && isFor(SSH, option)) {
            relay = relay.withNewConnectionsPerMinute(newPerMinute);
        }
        if (proxyProtocol != null && (isFor(TOLD, option) || told.containsAll(List.of(targets.split(",", -1))))) {
            relay = relay.withProxyProtocol(proxyProtocol.version());
        }
        if (loopbackSource && isFor(SSH, option) && !option.equals("--http")) {
            relay = withLoopbackSource(option, relay);
        }
        return relay;
    }

    /** Whether a setting applies to an option: to the preferred ones, or, if none of those is given, to the others. */
    private boolean isFor(Set<String> preferred, String option) {
        return preferred.contains(option) || Collections.disjoint(relayed, preferred);
    }

    private Relay withLoopbackSource(String option, Relay relay) {
        for (InetSocketAddress target : relay.targets()) {
            String host = target.getHostString();
            if (host.equalsIgnoreCase("localhost")) {
                throw Complaint.wrong(
                        option,
                        host + ":" + target.getPort(),
                        "127.0.0.1:" + target.getPort() + " with --loopback-source");
            }
            if (!(IpLiteral.parse(host) instanceof Inet4Address address && address.isLoopbackAddress())) {
                return relay;
            }
        }
        loopbackUsed = true;
        return relay.withLoopbackSource();
    }

    /** Refuses settings that had no effect, after the last {@link #relay}. */
    void checkUsed() {
        if (loopbackSource && !loopbackUsed) {
            throw Complaint.wrong(
                    "--loopback-source",
                    "given without a target that it is for",
                    Collections.disjoint(relayed, SSH)
                            ? "a target with an IPv4 loopback address, but that of --http"
                            : "--ssh, --inside-ssh or --on-timeout with an IPv4 loopback address, such as"
                                    + " 127.0.0.1:22");
        }
    }
}
