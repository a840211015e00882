package io.webproxy.samples.cli;

import io.webproxy.tunnel.TunnelServer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options for the limits of clients that a public proxy hands over. */
final class TunnelLimits {
    @Option(
            names = "--per-address",
            paramLabel = "N",
            converter = Numbers.PerMinute.class,
            description = "How many clients of one address may be connected at once; default: 8192.")
    private @Nullable Integer perAddress;

    @Option(
            names = "--per-agent",
            paramLabel = "N",
            converter = Numbers.PerMinute.class,
            description = "How many clients may be connected to one private proxy at once; default: 32768.")
    private @Nullable Integer perAgent;

    @Option(
            names = "--per-name",
            paramLabel = "N",
            converter = Numbers.PerMinute.class,
            description = "How many clients may be connected by one announced name at once; default: 32768.")
    private @Nullable Integer perName;

    @Option(
            names = "--new-per-minute",
            paramLabel = "N",
            converter = Numbers.PerMinute.class,
            description = "How many new clients of one address are accepted per minute; default: no limit.")
    private @Nullable Integer newPerMinute;

    @Option(
            names = "--new-per-minute-agent",
            paramLabel = "N",
            converter = Numbers.PerMinute.class,
            description = "How many new clients of one private proxy are accepted per minute; default: no limit.")
    private @Nullable Integer newPerMinuteOfAgent;

    @Option(
            names = "--new-per-minute-name",
            paramLabel = "N",
            converter = Numbers.PerMinute.class,
            description = "How many new clients of one announced name are accepted per minute; default: no limit.")
    private @Nullable Integer newPerMinuteOfName;

    TunnelServer applyTo(TunnelServer server) {
        TunnelServer limited = server;
        limited = perAddress == null ? limited : limited.withConnectionsPerAddress(perAddress);
        limited = perAgent == null ? limited : limited.withConnectionsPerAgent(perAgent);
        limited = perName == null ? limited : limited.withConnectionsPerName(perName);
        limited = newPerMinute == null ? limited : limited.withNewConnectionsPerMinute(newPerMinute);
        limited = newPerMinuteOfAgent == null
                ? limited
                : limited.withNewConnectionsPerMinutePerAgent(newPerMinuteOfAgent);
        return newPerMinuteOfName == null ? limited : limited.withNewConnectionsPerMinutePerName(newPerMinuteOfName);
    }
}
