package io.webproxy.undertow.exchange;

import io.undertow.util.HeaderMap;
import io.webproxy.spi.AddressRange;
import java.net.InetAddress;
import java.util.List;

/** Which peers' forwarding fields are believed, and what they say. Pure and immutable. */
public final class Trust {
    private final List<AddressRange> ranges;

    /** Trust in these ranges; none trusts nobody. */
    public Trust(List<AddressRange> ranges) {
        this.ranges = List.copyOf(ranges);
    }

    /** Whether an address is a trusted proxy's. */
    public boolean contains(InetAddress address) {
        return AddressRange.anyContains(ranges, address);
    }

    /** What the peer's fields say of the client; nothing if it isn't a trusted proxy. */
    public ForwardedStory read(ForwardedStory.Hop hop, HeaderMap fields) {
        return ranges.isEmpty() || !contains(hop.peer())
                ? ForwardedStory.none(hop)
                : ForwardedStory.of(hop, fields, this::contains);
    }
}
