package io.webproxy.undertow.pipeline;

import io.undertow.server.HttpServerExchange;
import io.undertow.server.ResponseCommitListener;
import io.undertow.util.Headers;
import io.webproxy.spi.Hsts;
import io.webproxy.undertow.exchange.Exchange;

/**
 * Sets {@code Strict-Transport-Security} on responses to clients that used HTTPS, to this server or to a trusted proxy,
 * and never in cleartext (RFC 6797 sections 7.1 and 7.2). It replaces an upstream's field: there must be only one.
 * Immutable.
 */
final class StrictTransport implements ResponseCommitListener {
    private final String value;

    StrictTransport(Hsts policy) {
        this.value = policy.value();
    }

    /** Registers it for one response; before all other listeners, so that nothing runs after it. */
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
