package io.webproxy.undertow.forward;

import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Warns about upstreams that speak HTTP/1.1 but would get gRPC calls, which need HTTP/2: one log line for each.
 * Thread-safe.
 */
final class Http1Upstreams {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.upstream");
    /** Limit of remembered upstreams, for a server whose upstreams keep changing. */
    private static final int MOST = 1000;

    private final Set<String> met = ConcurrentHashMap.newKeySet();

    /** A call was to go to one of them. */
    void met(Upstream upstream, Route route) {
        if (met.size() < MOST && met.add(upstream.toString())) {
            LOG.warn(
                    "{} speaks HTTP/1.1, which carries no gRPC: calls to route {} are answered with UNAVAILABLE ({})",
                    upstream,
                    route.name(),
                    remedy(upstream));
        }
    }

    private static String remedy(Upstream upstream) {
        if (!upstream.tls()) {
            return "expected: h2c:// for a service that speaks gRPC in cleartext";
        }
        return upstream.isHttp2()
                ? "expected: a service that chooses h2 by ALPN, which it was offered"
                : "expected: https+h2:// or .withHttp2(), for a service that chooses h2 by ALPN";
    }
}
