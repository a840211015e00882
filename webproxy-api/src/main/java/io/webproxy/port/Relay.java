package io.webproxy.port;

import io.webproxy.spi.HostPattern;
import io.webproxy.spi.IpLiteral;
import io.webproxy.spi.ProxyHeaderVersion;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where the connections of a port rule are relayed to, byte for byte in both directions, and within which limits.
 * Immutable; start with {@link #to}.
 *
 * <p>The targets take turns; one that can't be connected is ejected for some time, as upstreams are, and the next one
 * is tried.
 */
@SuppressWarnings("exports") // what only the engine reads has types of io.webproxy.spi
public final class Relay {
    private static final Pattern HOST_PORT = Pattern.compile("(\\[[0-9A-Fa-f:.]+]|[^:\\[\\]*\\s]+):([0-9]{1,5})");
    /** Names that end like an IPv4 address, and would be mistaken for one. */
    private static final Pattern NUMERIC = Pattern.compile("(.*\\.)?[0-9]+");

    private static final int MOST = 10_000_000;
    private static final Duration LONGEST = Duration.ofDays(365);

    private final List<InetSocketAddress> targets;
    private final @Nullable ProxyHeaderVersion proxyProtocol;
    private final boolean loopbackSource;
    private final Duration connectTime;
    private final Duration idleTime;
    private final int connections;
    private final int connectionsPerAddress;
    private final int newConnectionsPerMinute;

    private Relay(Values values) {
        this.targets = List.copyOf(values.targets);
        this.proxyProtocol = values.proxyProtocol;
        this.loopbackSource = values.loopbackSource;
        this.connectTime = values.connectTime;
        this.idleTime = values.idleTime;
        this.connections = values.connections;
        this.connectionsPerAddress = values.connectionsPerAddress;
        this.newConnectionsPerMinute = values.newConnectionsPerMinute;
    }

    /** The values, mutable until a relay has them. */
    private static final class Values {
        private List<InetSocketAddress> targets = List.of();
        private @Nullable ProxyHeaderVersion proxyProtocol;
        private boolean loopbackSource;
        private Duration connectTime = Duration.ofSeconds(5);
        private Duration idleTime = Duration.ZERO;
        private int connections = 32_768;
        private int connectionsPerAddress = 8_192;
        private int newConnectionsPerMinute;
    }

    /**
     * A relay to one or several equal targets.
     *
     * @param targets {@code host:port} each; an IPv6 address in brackets; names are resolved when connecting,
     *     internationalised ones become A-labels
     * @throws IllegalArgumentException if there is none, or one is malformed
     */
    public static Relay to(String... targets) {
        List<InetSocketAddress> all = new ArrayList<>();
        for (String target : Objects.requireNonNull(targets, "targets")) {
            all.add(parse(Objects.requireNonNull(target, "target")));
        }
        if (all.isEmpty()) {
            throw new IllegalArgumentException("target: none (expected: host:port, such as 127.0.0.1:22)");
        }
        Values values = new Values();
        values.targets = all;
        return new Relay(values);
    }

    private static InetSocketAddress parse(String target) {
        Matcher parts = HOST_PORT.matcher(target);
        String host = parts.matches() ? host(parts.group(1)) : "";
        int port = host.isEmpty() ? 0 : Integer.parseInt(parts.group(2));
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException(
                    "target: '" + target + "' (expected: host:port, such as 127.0.0.1:22 or [2001:db8::1]:22)");
        }
        return InetSocketAddress.createUnresolved(host, port);
    }

    /** A name or an address in its normal form, without brackets; empty if it is neither. */
    private static String host(String text) {
        try {
            String host = HostPattern.of(text).toString();
            if (host.startsWith("[")) {
                return host.substring(1, host.length() - 1);
            }
            return NUMERIC.matcher(host).matches() && IpLiteral.parse(host) == null ? "" : host;
        } catch (IllegalArgumentException e) {
            return "";
        }
    }

    private Values values() {
        Values values = new Values();
        values.targets = targets;
        values.proxyProtocol = proxyProtocol;
        values.loopbackSource = loopbackSource;
        values.connectTime = connectTime;
        values.idleTime = idleTime;
        values.connections = connections;
        values.connectionsPerAddress = connectionsPerAddress;
        values.newConnectionsPerMinute = newConnectionsPerMinute;
        return values;
    }

    /**
     * Sends a PROXY header with the client's address to the target first; default: none.
     *
     * @param version of the header: 1 for a line of text, 2 for the binary one
     * @throws IllegalArgumentException if it is neither
     */
    public Relay withProxyProtocol(int version) {
        Values values = values();
        values.proxyProtocol = ProxyHeaderVersion.of(version);
        return new Relay(values);
    }

    /**
     * Connects to the target from an address of 127.0.0.0/8 that is derived from the client's, so that a target without
     * the PROXY protocol, such as sshd, can distinguish clients. Default: no. Linux only, and only for targets that are
     * IPv4 loopback addresses; never for HTTP, whose fields carry the client's address.
     *
     * <p>The address is a hash of the IPv4 address or the IPv6 /64 under a key that is new with each start: no client
     * can choose an address that collides with another's. It is never in 127.0.0.0/16 or 127.255.0.0/16. The relay log
     * shows which client an address stands for. A target that trusts 127.0.0.0/8 trusts every client.
     */
    public Relay withLoopbackSource() {
        Values values = values();
        values.loopbackSource = true;
        return new Relay(values);
    }

    /** How long all attempts to connect to a target may take together, 10 ms to 365 days; default: 5 s. */
    public Relay withConnectTime(Duration limit) {
        Objects.requireNonNull(limit, "connectTime");
        if (limit.compareTo(Duration.ofMillis(10)) < 0 || limit.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException("connectTime: " + limit + " (expected: 10 ms to 365 days)");
        }
        Values values = values();
        values.connectTime = limit;
        return new Relay(values);
    }

    /**
     * How long a relay may be idle in both directions before it is closed, at least 1 s; zero, the default, for no
     * limit.
     */
    public Relay withIdleTime(Duration limit) {
        Objects.requireNonNull(limit, "idleTime");
        if (!limit.isZero() && (limit.compareTo(Duration.ofSeconds(1)) < 0 || limit.compareTo(LONGEST) > 0)) {
            throw new IllegalArgumentException("idleTime: " + limit + " (expected: zero, or 1 s to 365 days)");
        }
        Values values = values();
        values.idleTime = limit;
        return new Relay(values);
    }

    /**
     * How many connections of the rule may be open at once; default: 32,768; 0 for no limit of its own. Further ones
     * are closed at once.
     */
    public Relay withConnections(int most) {
        Values values = values();
        values.connections = check("connections", most);
        return new Relay(values);
    }

    /**
     * How many connections of the rule one client address may have open at once, an IPv6 network of 64 bits counting as
     * one; default: 8,192; 0 for no limit of its own.
     */
    public Relay withConnectionsPerAddress(int most) {
        Values values = values();
        values.connectionsPerAddress = check("connectionsPerAddress", most);
        return new Relay(values);
    }

    /**
     * How many new connections one client address may open per minute, an IPv6 network of 64 bits counting as one;
     * further ones are closed at once. 0, the default, for no limit. Use it before sshd against password guessing. That
     * many may come at once, then they are refilled evenly: with 6, one every 10 s. Refused connections don't count.
     */
    public Relay withNewConnectionsPerMinute(int most) {
        Values values = values();
        values.newConnectionsPerMinute = check("newConnectionsPerMinute", most);
        return new Relay(values);
    }

    private static int check(String name, int value) {
        if (value < 0 || value > MOST) {
            throw new IllegalArgumentException(name + ": " + value + " (expected: 0-" + MOST + ")");
        }
        return value;
    }

    /** The targets, unresolved, in the order they were given. */
    public List<InetSocketAddress> targets() {
        return targets;
    }

    /** The version of the PROXY header that the target gets; empty for none. */
    public Optional<ProxyHeaderVersion> proxyProtocol() {
        return Optional.ofNullable(proxyProtocol);
    }

    /** Whether the target sees a loopback address derived from the client's. */
    public boolean loopbackSource() {
        return loopbackSource;
    }

    /** How long connecting may take. */
    public Duration connectTime() {
        return connectTime;
    }

    /** How long a relay may be idle; zero for no limit. */
    public Duration idleTime() {
        return idleTime;
    }

    /** How many connections may be open at once; 0 for no limit. */
    public int connections() {
        return connections;
    }

    /** How many of them one client address may have; 0 for no limit. */
    public int connectionsPerAddress() {
        return connectionsPerAddress;
    }

    /** How many new connections one client address may open per minute; 0 for no limit. */
    public int newConnectionsPerMinute() {
        return newConnectionsPerMinute;
    }

    /** Its problems in a rule, a sentence each, without the rule's name. */
    List<String> problems() {
        List<String> problems = new ArrayList<>();
        if (loopbackSource) {
            if (!System.getProperty("os.name", "").startsWith("Linux")) {
                problems.add("loopbackSource: on (expected: Linux, which alone has all of 127.0.0.0/8)");
            }
            for (InetSocketAddress target : targets) {
                if (!(IpLiteral.parse(target.getHostString()) instanceof Inet4Address address)
                        || !address.isLoopbackAddress()) {
                    problems.add("loopbackSource: to " + text(target)
                            + " (expected: targets with an IPv4 loopback address, such as 127.0.0.1:22)");
                }
            }
        }
        return problems;
    }

    private static String text(InetSocketAddress target) {
        String host = target.getHostString();
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + target.getPort();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Relay that
                && targets.equals(that.targets)
                && proxyProtocol == that.proxyProtocol
                && loopbackSource == that.loopbackSource
                && connectTime.equals(that.connectTime)
                && idleTime.equals(that.idleTime)
                && connections == that.connections
                && connectionsPerAddress == that.connectionsPerAddress
                && newConnectionsPerMinute == that.newConnectionsPerMinute;
    }

    @Override
    public int hashCode() {
        return Objects.hash(targets, proxyProtocol, loopbackSource, connectTime, idleTime);
    }

    /** The targets, separated by commas. */
    @Override
    public String toString() {
        return String.join(",", targets.stream().map(Relay::text).toList());
    }
}
