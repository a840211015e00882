package io.webproxy.undertow.forward;

import io.undertow.util.HeaderMap;
import io.webproxy.http.AddressRange;
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
        for (AddressRange range : ranges) {
            if (range.contains(address)) {
                return true;
            }
        }
        return false;
    }

    /**
     * The client's address: if the peer is a trusted proxy, the last one in {@code X-Forwarded-For}, or else in {@code Forwarded}, that isn't a trusted
     * proxy's; what can't be read ends the chain.
     */
    public InetAddress client(InetAddress peer, HeaderMap fields) {
        if (ranges.isEmpty() || !contains(peer)) {
            return peer;
        }
        ForwardedChain chain = ForwardedChain.of(fields);
        InetAddress client = peer;
        for (int i = chain.size() - 1; i >= 0 && contains(client); i--) {
            InetAddress named = chain.node(i);
            if (named == null) {
                break;
            }
            client = named;
        }
        return client;
    }
}
