package io.webproxy.observe;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * What became of one connection that a port rule has relayed or refused, or that no rule has taken.
 *
 * @param start when its rule was known
 * @param client the client's address: the peer's, or the one that a trusted proxy named
 * @param endpoint the name of the endpoint
 * @param rule the name of the rule, {@code silent} or {@code otherwise} for the targets of that name; empty when no
 *     rule has taken it
 * @param source the proxy's own address of the connection to the target; empty when there was none
 * @param target {@code host:port} as it was configured: the one connected to, or that was tried last; empty when none
 *     was
 * @param sent bytes from the client that the target's side has taken, a PROXY header not included
 * @param received bytes from the target that the client's side has taken
 * @param duration from {@code start} to its end
 * @param end how it has ended
 * @param detail a sentence that says more, such as why the target can't be connected to; empty when there is no more to
 *     say
 */
public record RelayRecord(
        Instant start,
        InetSocketAddress client,
        String endpoint,
        Optional<String> rule,
        Optional<InetSocketAddress> source,
        Optional<String> target,
        long sent,
        long received,
        Duration duration,
        RelayEnd end,
        String detail) {
    /** Nothing is null. */
    public RelayRecord {
        Objects.requireNonNull(start, "start");
        Objects.requireNonNull(client, "client");
        Objects.requireNonNull(endpoint, "endpoint");
        Objects.requireNonNull(rule, "rule");
        Objects.requireNonNull(source, "source");
        Objects.requireNonNull(target, "target");
        Objects.requireNonNull(duration, "duration");
        Objects.requireNonNull(end, "end");
        Objects.requireNonNull(detail, "detail");
    }
}
