package io.webproxy.undertow.pipeline;

import io.webproxy.undertow.exchange.Exchange;
import java.util.Map;

/** Redirects (308) requests for another name of a site to its canonical host. */
final class CanonicalHost implements Stage {
    @Override
    public boolean pass(Passage passage) {
        Map<String, String> hosts = passage.settings().canonicalHosts();
        String canonical = hosts.isEmpty() ? null : hosts.get(passage.host());
        if (canonical == null) {
            return true;
        }
        Exchange exchange = passage.exchange();
        String authority = exchange.head().authority();
        int colon = authority.lastIndexOf(':');
        String port =
                colon > authority.lastIndexOf(']') && colon < authority.length() - 1 ? authority.substring(colon) : "";
        Redirect.send(exchange, exchange.head().scheme() + "://" + canonical + port, 308);
        return false;
    }
}
