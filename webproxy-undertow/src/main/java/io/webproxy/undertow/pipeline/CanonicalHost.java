package io.webproxy.undertow.pipeline;

import io.webproxy.undertow.exchange.Exchange;
import java.util.Map;

/** Sends requests for one name of a site to the name that the operator wants seen (308). Immutable. */
final class CanonicalHost {
    private final Map<String, String> hosts;

    /** From which host to which. */
    CanonicalHost(Map<String, String> hosts) {
        this.hosts = Map.copyOf(hosts);
    }

    /**
     * Answers a request for a host that isn't canonical.
     *
     * @param host as {@code HostPattern.hostOf} gives it
     */
    boolean answer(Exchange exchange, String host) {
        String canonical = hosts.isEmpty() ? null : hosts.get(host);
        if (canonical == null) {
            return false;
        }
        String authority = exchange.head().authority();
        int colon = authority.lastIndexOf(':');
        String port =
                colon > authority.lastIndexOf(']') && colon < authority.length() - 1 ? authority.substring(colon) : "";
        Redirect.send(exchange, exchange.head().scheme() + "://" + canonical + port, 308);
        return true;
    }
}
