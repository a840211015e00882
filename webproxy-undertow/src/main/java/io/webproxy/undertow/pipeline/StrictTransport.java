package io.webproxy.undertow.pipeline;

import io.undertow.server.HttpServerExchange;
import io.undertow.server.ResponseCommitListener;
import io.undertow.util.Headers;
import io.webproxy.http.Hsts;
import io.webproxy.undertow.exchange.Exchange;

/**
 * Says on each response to a client that has come by HTTPS, to this server or to a trusted proxy, that this host is to
 * be reached over HTTPS only, and on none in cleartext (RFC 6797 sections 7.1 and 7.2). What an upstream says of it is
 * overruled: there must be one field only. Immutable.
 */
final class StrictTransport implements ResponseCommitListener {
    private final String value;

    StrictTransport(Hsts policy) {
        this.value = policy.value();
    }

    /** Sees to it for one response; before anything else is put in its way, so that nothing comes behind it. */
    void install(HttpServerExchange http) {
        http.addResponseCommitListener(this);
    }

    @Override
    public void beforeCommit(HttpServerExchange http) {
        if (!Exchange.of(http).head().scheme().equals("https")) {
            http.getResponseHeaders().remove(Headers.STRICT_TRANSPORT_SECURITY);
        } else {
            http.getResponseHeaders().put(Headers.STRICT_TRANSPORT_SECURITY, value);
        }
    }
}
