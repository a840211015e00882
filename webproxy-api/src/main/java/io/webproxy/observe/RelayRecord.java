package io.webproxy.observe;

import io.webproxy.spi.RelayData;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The record of one connection that a port rule relayed or refused, or that no rule took. Made by the engine;
 * immutable.
 */
public sealed interface RelayRecord permits RelayData {
    /** When its rule was determined. */
    Instant start();

    /** The client's address: the peer's, or the one that a trusted proxy named. */
    InetSocketAddress client();

    /** The name of the endpoint. */
    String endpoint();

    /**
     * The name of the rule, {@code silent} or {@code otherwise} for the targets of that name; empty when no rule has
     * taken it.
     */
    Optional<String> rule();

    /** The proxy's own address of the connection to the target; empty when there was none. */
    Optional<InetSocketAddress> source();

    /** {@code host:port} as configured: the connected target, or the one tried last; empty if none was tried. */
    Optional<String> target();

    /** Bytes from the client that the target's side has taken, a PROXY header not included. */
    long sent();

    /** Bytes from the target that the client's side has taken. */
    long received();

    /** From {@link #start()} to its end. */
    Duration duration();

    /** How it has ended. */
    RelayEnd end();

    /** A sentence with details, such as why the target can't be connected; empty if there are none. */
    String detail();
}
