package io.webproxy.undertow.pipeline;

import io.webproxy.route.Route;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.LocalAnswer;
import io.webproxy.undertow.exchange.RequestPath;
import io.webproxy.undertow.exchange.RequestPlan;
import java.util.Map;

/** Finds the route of a request and starts its timeout class. */
record Routing(Misdirection misdirection) implements Stage {
    @Override
    public boolean pass(Passage passage) {
        Exchange exchange = passage.exchange();
        Settings now = passage.settings();
        String host = passage.host();
        String path = passage.path();
        Route route = now.routes().find(host, path, exchange.head());
        if (!RequestPath.isReadAlike(
                exchange.head().path(), path, other -> now.routes().find(host, other, exchange.head()) == route)) {
            LocalAnswer.reject(exchange, 400, "The request target could be read as a path of another route.");
            return false;
        }
        if (route == null) {
            if (misdirection.isUnknown(exchange, now, host)) {
                LocalAnswer.reject(exchange, 421, "This server has no service and no certificate for this host.");
            } else {
                LocalAnswer.send(exchange, 404, "There is no service for this host and path.", Map.of());
            }
            return false;
        }
        exchange.routed(
                RequestPlan.of(route, path, route.forwardedHeaders().orElse(now.forwarded()), now.userFields()),
                route.timeouts().orElse(now.timeouts()));
        if (!route.path().matches(path)) {
            Redirect.addSlash(exchange, route.path());
            return false;
        }
        return true;
    }
}
