package io.webproxy.undertow.forward;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.handlers.ResponseCodeHandler;
import io.undertow.server.handlers.proxy.ProxyHandler;
import io.webproxy.undertow.upstream.Upstreams;

/** The last handler: forwards an exchange whose route is known, by Undertow's proxy handler over our upstream side. */
public final class Forwarder implements HttpHandler {
    private final ProxyHandler proxy;

    /** A forwarder over these pools. */
    public Forwarder(Upstreams upstreams) {
        this.proxy = ProxyHandler.builder()
                .setProxyClient(new UpstreamProxyClient(upstreams, new Rotation()))
                .setMaxRequestTime(-1)
                .setMaxConnectionRetries(0)
                .setNext(ResponseCodeHandler.HANDLE_404)
                .build();
    }

    @Override
    public void handleRequest(HttpServerExchange http) throws Exception {
        // it would ask for the client's certificate on every request, which throws where there is none
        http.getConnection().setSslSessionInfo(null);
        proxy.handleRequest(http);
    }
}
