package io.webproxy.tunnel;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The public side of tunnels: the agents, what they may announce, and the limits of their clients. Immutable; start
 * with {@link #agents}. One server has at most one; several of its ports may share it.
 */
public final class TunnelServer {
    /** How long clients may be silent at a port that has only tunnels, 5 s: all of them speak first. */
    public static final Duration HELLO_TIME = Duration.ofSeconds(5);

    private static final int MOST = 10_000_000;

    private final Path agents;
    private final @Nullable Path identity;
    private final int connectionsPerAddress;
    private final int connectionsPerAgent;
    private final int connectionsPerName;
    private final int waiting;
    private final int newPerAddress;
    private final int newPerAgent;
    private final int newPerName;

    private TunnelServer(Values values) {
        this.agents = values.agents;
        this.identity = values.identity;
        this.connectionsPerAddress = values.connectionsPerAddress;
        this.connectionsPerAgent = values.connectionsPerAgent;
        this.connectionsPerName = values.connectionsPerName;
        this.waiting = values.waiting;
        this.newPerAddress = values.newPerAddress;
        this.newPerAgent = values.newPerAgent;
        this.newPerName = values.newPerName;
    }

    /** The values, mutable until a server has them. */
    private static final class Values {
        private final Path agents;
        private @Nullable Path identity;
        private int connectionsPerAddress = 8_192;
        private int connectionsPerAgent = 32_768;
        private int connectionsPerName = 32_768;
        private int waiting = 4_096;
        private int newPerAddress;
        private int newPerAgent;
        private int newPerName;

        Values(Path agents) {
            this.agents = agents;
        }
    }

    /**
     * The agents of a file, which is reloaded when it changes: a line for each, {@code NAME sha256:HEX
     * names=pattern[,pattern…] [ports=port[,first-last]…] [shared]}. {@code agent-key} prints them. A changed file with
     * an invalid line has no effect, and is logged once as WARN. Agents can't get names that the server serves itself,
     * by a rule, a route or a certificate; not by a wildcard either.
     */
    public static TunnelServer agents(Path file) {
        return new TunnelServer(new Values(Objects.requireNonNull(file, "agents")));
    }

    private Values values() {
        Values values = new Values(agents);
        values.identity = identity;
        values.connectionsPerAddress = connectionsPerAddress;
        values.connectionsPerAgent = connectionsPerAgent;
        values.connectionsPerName = connectionsPerName;
        values.waiting = waiting;
        values.newPerAddress = newPerAddress;
        values.newPerAgent = newPerAgent;
        values.newPerName = newPerName;
        return values;
    }

    /**
     * The directory of this side's key, {@code public.key} and {@code public.crt}, which are created if neither exists.
     * Required.
     */
    public TunnelServer identity(Path directory) {
        Values values = values();
        values.identity = Objects.requireNonNull(directory, "identity");
        return new TunnelServer(values);
    }

    /**
     * How many clients one address may have connected at once, an IPv6 network of 64 bits counting as one; default:
     * 8,192; 0 for no limit of its own.
     */
    public TunnelServer withConnectionsPerAddress(int most) {
        Values values = values();
        values.connectionsPerAddress = check("connectionsPerAddress", most);
        return new TunnelServer(values);
    }

    /** How many clients may be connected to one agent at once; default: 32,768; 0 for no limit of its own. */
    public TunnelServer withConnectionsPerAgent(int most) {
        Values values = values();
        values.connectionsPerAgent = check("connectionsPerAgent", most);
        return new TunnelServer(values);
    }

    /**
     * How many clients may be connected at once by one announced name or port; default: 32,768; 0 for no limit of its
     * own.
     */
    public TunnelServer withConnectionsPerName(int most) {
        Values values = values();
        values.connectionsPerName = check("connectionsPerName", most);
        return new TunnelServer(values);
    }

    /** How many clients may wait at once for an agent to take them; default: 4,096, at least 1. */
    public TunnelServer withWaiting(int most) {
        if (most < 1) {
            throw new IllegalArgumentException("waiting: " + most + " (expected: 1-" + MOST + ")");
        }
        Values values = values();
        values.waiting = check("waiting", most);
        return new TunnelServer(values);
    }

    /**
     * How many new clients of one address are accepted per minute, an IPv6 network of 64 bits counting as one; 0, the
     * default, for no limit.
     */
    public TunnelServer withNewConnectionsPerMinute(int most) {
        Values values = values();
        values.newPerAddress = check("newConnectionsPerMinute", most);
        return new TunnelServer(values);
    }

    /** How many new clients of one agent are accepted per minute; 0, the default, for no limit. */
    public TunnelServer withNewConnectionsPerMinutePerAgent(int most) {
        Values values = values();
        values.newPerAgent = check("newConnectionsPerMinutePerAgent", most);
        return new TunnelServer(values);
    }

    /** How many new clients of one announced name or port are accepted per minute; 0, the default, for no limit. */
    public TunnelServer withNewConnectionsPerMinutePerName(int most) {
        Values values = values();
        values.newPerName = check("newConnectionsPerMinutePerName", most);
        return new TunnelServer(values);
    }

    private static int check(String name, int value) {
        if (value < 0 || value > MOST) {
            throw new IllegalArgumentException(name + ": " + value + " (expected: 0-" + MOST + ")");
        }
        return value;
    }

    /** The agents file. */
    public Path agents() {
        return agents;
    }

    /**
     * The directory of the key.
     *
     * @throws IllegalArgumentException if none was given
     */
    public Path identity() {
        if (identity == null) {
            throw new IllegalArgumentException(
                    "identity: none (expected: identity(DIR), where the public side's key is kept)");
        }
        return identity;
    }

    /** Whether the directory of the key is known. */
    public boolean hasIdentity() {
        return identity != null;
    }

    /** How many clients one address may have; 0 for no limit. */
    public int connectionsPerAddress() {
        return connectionsPerAddress;
    }

    /** How many clients one agent may have; 0 for no limit. */
    public int connectionsPerAgent() {
        return connectionsPerAgent;
    }

    /** How many clients one name or port may have; 0 for no limit. */
    public int connectionsPerName() {
        return connectionsPerName;
    }

    /** How many clients may wait for an agent. */
    public int waiting() {
        return waiting;
    }

    /** How many new clients one address may have per minute; 0 for no limit. */
    public int newConnectionsPerMinute() {
        return newPerAddress;
    }

    /** How many new clients one agent may have per minute; 0 for no limit. */
    public int newConnectionsPerMinutePerAgent() {
        return newPerAgent;
    }

    /** How many new clients one name or port may have per minute; 0 for no limit. */
    public int newConnectionsPerMinutePerName() {
        return newPerName;
    }

    /**
     * Whether another one has the same agents file and identity, so that it can replace this one while agents stay
     * connected.
     */
    public boolean isSameServer(TunnelServer other) {
        return agents.equals(other.agents) && Objects.equals(identity, other.identity);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof TunnelServer that
                && isSameServer(that)
                && connectionsPerAddress == that.connectionsPerAddress
                && connectionsPerAgent == that.connectionsPerAgent
                && connectionsPerName == that.connectionsPerName
                && waiting == that.waiting
                && newPerAddress == that.newPerAddress
                && newPerAgent == that.newPerAgent
                && newPerName == that.newPerName;
    }

    @Override
    public int hashCode() {
        return Objects.hash(agents, identity, connectionsPerAddress, connectionsPerAgent, connectionsPerName);
    }

    @Override
    public String toString() {
        return "TunnelServer[agents=" + agents + ", identity=" + identity + "]";
    }
}
