package io.webproxy.undertow.forward;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.Route;
import io.webproxy.spi.RetryBudget;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.LocalAnswer;
import io.webproxy.undertow.upstream.Upstreams;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The last handler: forwards an exchange to the upstreams of its route, by Undertow's proxy handler. */
public final class Forwarder implements HttpHandler {
    private static final Logger LOG = LoggerFactory.getLogger(Forwarder.class);
    /** Stands for the client's address, from which the proxy handler would make fields that aren't sent. */
    private static final InetSocketAddress UNTOLD = InetSocketAddress.createUnresolved("client", 0);

    private static final Duration WARN_EVERY = Duration.ofMinutes(1);

    private final AtomicLong nextWarning = new AtomicLong(System.nanoTime());
    private final RouteStates states;
    private final HttpHandler proxy;

    /** A forwarder over these pools. */
    public Forwarder(Upstreams upstreams) {
        this.states = new RouteStates(upstreams);
        Http1Upstreams http1Upstreams = new Http1Upstreams();
        this.proxy = Facade.handler(
                exchange -> new ForwardExchange(exchange, upstreams, states.of(exchange.route()), http1Upstreams));
    }

    /**
     * Sets the routes; routes that stay, and their upstream groups, keep their state.
     *
     * @param ejection for groups without their own
     */
    public void update(List<Route> routes, RetryBudget retries, OutlierEjection ejection) {
        states.update(routes, retries, ejection);
    }

    @Override
    public void handleRequest(HttpServerExchange http) throws Exception {
        Exchange exchange = Exchange.of(http);
        if (LoopGuard.isLoop(http.getRequestHeaders(), exchange.shared().serverId())) {
            refuseLoop(exchange);
            return;
        }
        // Undertow 2.4.4 asks for the client's certificate on every request, which throws where there is none; canary:
        // ProxyHandlerDefectsTest.clientCertificateIsAskedForOnEachRequest
        http.getConnection().setSslSessionInfo(null);
        http.setSourceAddress(UNTOLD);
        proxy.handleRequest(http);
    }

    private void refuseLoop(Exchange exchange) {
        long now = exchange.shared().nanoClock().getAsLong();
        long due = nextWarning.get();
        if (now - due >= 0 && nextWarning.compareAndSet(due, now + WARN_EVERY.toNanos())) {
            LOG.warn(
                    "Requests of route {} come back to this server: one of its upstreams, or what that forwards to, is"
                            + " this server again; correct its address, or the host that it is asked for",
                    exchange.route().name());
        }
        exchange.failed(ForwardError.REQUEST_REJECTED);
        LocalAnswer.send(exchange, 508, "This request has come through this server before, again and again.", Map.of());
    }
}
