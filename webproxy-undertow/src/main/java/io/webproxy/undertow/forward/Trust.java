package io.webproxy.undertow.forward;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.webproxy.http.AddressRange;
import io.webproxy.http.IpLiteral;
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
     * The client's address: the last one in {@code X-Forwarded-For} that isn't a trusted proxy's, if the peer is one; what can't be read
     * ends the chain.
     */
    public InetAddress client(InetAddress peer, HeaderMap fields) {
        if (ranges.isEmpty() || !contains(peer)) {
            return peer;
        }
        HeaderValues values = fields.get(ForwardedFields.FOR);
        if (values == null) {
            return peer;
        }
        String[] chain = String.join(",", values).split(",", -1);
        InetAddress client = peer;
        for (int i = chain.length - 1; i >= 0 && contains(client); i--) {
            String element = chain[i].strip();
            InetAddress named = IpLiteral.parse(element);
            if (named == null) {
                break;
            }
            client = named;
        }
        return client;
    }
}
