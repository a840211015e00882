package io.webproxy.http;

import io.webproxy.spi.AddressRange;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * The status of the server as an answer: a page for browsers, which follows the server while it is open, and the JSON
 * that feeds it. A route gives it, or an endpoint of its own. Off by default. Immutable.
 *
 * <p>Below the path where it is: {@code ./} is the page, {@code ./status.json} one snapshot, {@code ./events} a stream
 * of them (server-sent events), for 16 viewers at a time. It shows names of the configuration, addresses and counts,
 * never queries, paths of requests, users, credentials or values of header fields.
 *
 * <p>Where others than programs of this machine can reach it, an authenticator, required client certificates or
 * {@link #withAllow} must protect it, else {@code build()} refuses the configuration. {@code Host} must be a loopback
 * name, an address of the endpoint, or match the host of its route; else the answer is 421, so that no web page can
 * read it by a name of its own for the server's address.
 */
@SuppressWarnings("exports") // what only the engine reads has types of io.webproxy.spi
public final class StatusPage {
    private static final StatusPage DEFAULTS = new StatusPage(List.of());

    private final List<AddressRange> allow;

    private StatusPage(List<AddressRange> allow) {
        this.allow = List.copyOf(allow);
    }

    /** One for all client addresses that reach it. */
    public static StatusPage defaults() {
        return DEFAULTS;
    }

    /**
     * The same for client addresses in these ranges alone, on a route in addition to its own lists; others get 403.
     * None is all addresses, the default.
     *
     * @param ranges addresses, or ranges such as {@code 10.0.0.0/8}
     * @throws IllegalArgumentException if one is neither
     */
    public StatusPage withAllow(String... ranges) {
        List<AddressRange> all = new ArrayList<>();
        for (String range : Objects.requireNonNull(ranges, "ranges")) {
            all.add(AddressRange.of(range));
        }
        return new StatusPage(all);
    }

    /** The client addresses that may see it; empty for all. */
    public List<AddressRange> allow() {
        return allow;
    }

    /** Whether a client address may see it. */
    public boolean permits(InetAddress client) {
        return allow.isEmpty() || AddressRange.anyContains(allow, client);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof StatusPage that && allow.equals(that.allow);
    }

    @Override
    public int hashCode() {
        return allow.hashCode();
    }

    @Override
    public String toString() {
        return "StatusPage[allow=" + (allow.isEmpty() ? "all" : allow) + "]";
    }
}
