package io.webproxy.undertow.forward;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.handlers.ResponseCodeHandler;
import io.undertow.server.handlers.proxy.ProxyHandler;
import io.webproxy.route.RetryBudget;
import io.webproxy.route.Route;
import io.webproxy.undertow.upstream.Upstreams;
import java.util.List;

/** The last handler: forwards an exchange whose route is known, by Undertow's proxy handler over our upstream side. */
public final class Forwarder implements HttpHandler {
    private final RouteStates states;
    private final ProxyHandler proxy;

    /** A forwarder over these pools. */
    public Forwarder(Upstreams upstreams) {
        this.states = new RouteStates(upstreams);
        this.proxy = ProxyHandler.builder()
                .setProxyClient(new UpstreamProxyClient(upstreams, states))
                .setMaxRequestTime(-1)
                .setMaxConnectionRetries(0)
                .setNext(ResponseCodeHandler.HANDLE_404)
                .build();
    }

    /** These routes from now on; what is known of those that stay is kept. */
    public void update(List<Route> routes, RetryBudget retries) {
        states.update(routes, retries);
    }

    @Override
    public void handleRequest(HttpServerExchange http) throws Exception {
        // it would ask for the client's certificate on every request, which throws where there is none
        http.getConnection().setSslSessionInfo(null);
        proxy.handleRequest(http);
    }
}
