package io.webproxy.undertow.forward;

import io.webproxy.route.Balancing;
import io.webproxy.route.Upstream;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.spi.LeastTime;
import io.webproxy.spi.SessionAffinity;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.upstream.ParsedHead;
import org.jspecify.annotations.Nullable;

/** Balancing that keeps the sessions of an upstream group on their upstreams. Thread-safe. */
interface Affinity extends Balancing {
    /** The balancing of a group: the engine's implementation of its policy, or the policy itself. */
    static Balancing of(UpstreamGroup group) {
        if (group.balancing() == LeastTime.INSTANCE) {
            return new LeastTimeBalancing();
        }
        if (!(group.balancing() instanceof SessionAffinity affinity)) {
            return group.balancing();
        }
        return affinity.isCookie() ? new CookieAffinity(affinity, group.upstreams()) : new HeaderAffinity(affinity);
    }

    /** The name of the proxy's own cookie; null if there is none. */
    default @Nullable String cookie() {
        return null;
    }

    /**
     * An upstream's final response head has arrived.
     *
     * @param by the upstream that was chosen; null if a filter chose it
     * @return the proxy's cookie for it; null to leave it alone
     */
    @Nullable SessionCookie responded(Exchange exchange, ParsedHead answer, @Nullable Upstream by);
}
