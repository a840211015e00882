package io.webproxy.spi;

import io.webproxy.route.Route;
import java.util.List;

/**
 * The routes in force.
 *
 * @param all in the order of configuration
 */
public record ServedRoutes(List<Route> all) {
    /** Copies the list; nothing is null. */
    public ServedRoutes {
        all = List.copyOf(all);
    }
}
