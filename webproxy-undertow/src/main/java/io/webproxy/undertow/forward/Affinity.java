package io.webproxy.undertow.forward;

import io.webproxy.route.Balancing;
import io.webproxy.route.Upstream;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.spi.SessionAffinity;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.upstream.ParsedHead;
import org.jspecify.annotations.Nullable;

/** Keeps the sessions of one upstream group with the upstreams that have them. Thread-safe. */
interface Affinity extends Balancing {
    /** What a group chooses by: the group's own policy, or what does as it says. */
    static Balancing of(UpstreamGroup group) {
        if (!(group.balancing() instanceof SessionAffinity affinity)) {
            return group.balancing();
        }
        return affinity.isCookie() ? new CookieAffinity(affinity, group.upstreams()) : new HeaderAffinity(affinity);
    }

    /** The name of the cookie that is the proxy's own; null if there is none. */
    default @Nullable String cookie() {
        return null;
    }

    /**
     * An upstream's final response head has come.
     *
     * @param by the upstream that was chosen; null if the application has chosen it
     * @return what becomes of the proxy's cookie in it; null for nothing
     */
    @Nullable SessionCookie responded(Exchange exchange, ParsedHead answer, @Nullable Upstream by);
}
