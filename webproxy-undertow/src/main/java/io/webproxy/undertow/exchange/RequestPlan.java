package io.webproxy.undertow.exchange;

import io.webproxy.route.FilterDecision;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.spi.HeaderEdit;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What was decided about a request before it is forwarded: by its route, by who lets it in, and by the application's
 * filter. Immutable.
 *
 * @param path normalised; the route was chosen by it
 * @param credentialsPass whether {@code Authorization} goes to the upstream
 * @param unusualNamesPass whether fields go to the upstream whose names have other characters than letters, digits and
 *     hyphens
 * @param rewrittenPath the path for the upstream in place of the one that the route makes of it, without a query; null
 *     for that one
 * @param requestEdits changes of the request's fields, after the route's own
 * @param onlyUpstream the only upstream that is asked, of the route's or another; null for the route's choice
 * @param tags what the record shows besides
 */
public record RequestPlan(
        Route route,
        String path,
        boolean credentialsPass,
        boolean unusualNamesPass,
        @Nullable String rewrittenPath,
        List<HeaderEdit> requestEdits,
        @Nullable Upstream onlyUpstream,
        Map<String, String> tags) {
    /** What follows from the route alone. */
    public static RequestPlan of(Route route, String path) {
        return new RequestPlan(route, path, true, false, null, List.of(), null, Map.of());
    }

    /** The credentials are the proxy's alone. */
    public RequestPlan withoutCredentials() {
        return new RequestPlan(route, path, false, unusualNamesPass, rewrittenPath, requestEdits, onlyUpstream, tags);
    }

    /** Fields with unusual names pass. */
    public RequestPlan withUnusualNames() {
        return new RequestPlan(route, path, credentialsPass, true, rewrittenPath, requestEdits, onlyUpstream, tags);
    }

    /** As the filter has decided, which lets the request go on. */
    public RequestPlan with(FilterDecision decision) {
        return new RequestPlan(
                route,
                path,
                credentialsPass,
                unusualNamesPass,
                decision.path().orElse(null),
                decision.headers(),
                decision.upstream().orElse(null),
                decision.tags());
    }

    /** The record shows these besides. */
    public RequestPlan withTags(Map<String, String> shown) {
        return new RequestPlan(
                route, path, credentialsPass, unusualNamesPass, rewrittenPath, requestEdits, onlyUpstream, shown);
    }
}
