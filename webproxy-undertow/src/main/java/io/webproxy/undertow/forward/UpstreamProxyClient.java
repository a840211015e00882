package io.webproxy.undertow.forward;

import io.undertow.server.HttpServerExchange;
import io.undertow.server.handlers.proxy.ProxyCallback;
import io.undertow.server.handlers.proxy.ProxyClient;
import io.undertow.server.handlers.proxy.ProxyConnection;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.upstream.Upstreams;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Hands Undertow's proxy handler a façade connection for each exchange; everything that takes time happens behind it. */
final class UpstreamProxyClient implements ProxyClient {
    private static final ProxyTarget TARGET = new ProxyTarget() {};

    private final Upstreams upstreams;
    private final RouteStates states;
    private final Http1Upstreams http1Upstreams = new Http1Upstreams();

    UpstreamProxyClient(Upstreams upstreams, RouteStates states) {
        this.upstreams = upstreams;
        this.states = states;
    }

    @Override
    public ProxyTarget findTarget(HttpServerExchange http) {
        return TARGET;
    }

    @Override
    public List<ProxyTarget> getAllTargets() {
        return List.of(TARGET);
    }

    @Override
    public void getConnection(
            ProxyTarget target,
            HttpServerExchange http,
            ProxyCallback<ProxyConnection> callback,
            long timeout,
            TimeUnit unit) {
        Exchange exchange = Exchange.of(http);
        if (!exchange.isEnded()) {
            callback.completed(
                    http,
                    new ProxyConnection(
                            new ForwardExchange(exchange, upstreams, states.of(exchange.route()), http1Upstreams),
                            "/"));
        }
    }
}
