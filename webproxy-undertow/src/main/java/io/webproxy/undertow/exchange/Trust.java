package io.webproxy.undertow.exchange;

import io.undertow.util.HeaderMap;
import io.webproxy.spi.AddressRange;
import java.net.InetAddress;
import java.util.List;

/** Decides which peers' forwarding fields are believed, and reads them. Pure and immutable. */
public final class Trust {
    private final List<AddressRange> ranges;

    /** Trusts peers in these ranges; an empty list trusts no peer. */
    public Trust(List<AddressRange> ranges) {
        this.ranges = List.copyOf(ranges);
    }

    /** Whether an address is that of a trusted proxy. */
    public boolean contains(InetAddress address) {
        return AddressRange.anyContains(ranges, address);
    }

    /** What the peer's fields say about the client; empty if it isn't a trusted proxy. */
    public ForwardedStory read(ForwardedStory.Hop hop, HeaderMap fields) {
        return ranges.isEmpty() || !contains(hop.peer())
                ? ForwardedStory.none(hop)
                : ForwardedStory.of(hop, fields, this::contains);
    }
}
