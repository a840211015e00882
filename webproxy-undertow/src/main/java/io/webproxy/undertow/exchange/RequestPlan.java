package io.webproxy.undertow.exchange;

import io.webproxy.http.ForwardedHeaders;
import io.webproxy.route.FilterDecision;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.spi.HeaderEdit;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The decisions about a request before it is forwarded: those of its route, the authentication and the application's
 * filter. Immutable.
 *
 * @param path normalised; the route was chosen by it
 * @param forwarded which fields tell the upstream about the client
 * @param credentialsPass whether {@code Authorization} is forwarded
 * @param unusualNamesPass whether fields are forwarded whose names have characters other than letters, digits and
 *     hyphens
 * @param rewrittenPath the upstream's path without a query, if the filter sets it; null for the route's
 * @param requestEdits changes of the request's fields, made after the route's own
 * @param onlyUpstream the only upstream to use, of the route's or another; null for the route's choice
 * @param tags added to the record
 */
public record RequestPlan(
        Route route,
        String path,
        ForwardedHeaders forwarded,
        boolean credentialsPass,
        boolean unusualNamesPass,
        @Nullable String rewrittenPath,
        List<HeaderEdit> requestEdits,
        @Nullable Upstream onlyUpstream,
        Map<String, String> tags) {
    /** The plan that follows from the route alone. */
    public static RequestPlan of(Route route, String path, ForwardedHeaders forwarded) {
        return new RequestPlan(route, path, forwarded, true, false, null, List.of(), null, Map.of());
    }

    /** A copy that doesn't forward credentials: they are for the proxy only. */
    public RequestPlan withoutCredentials() {
        return new RequestPlan(
                route, path, forwarded, false, unusualNamesPass, rewrittenPath, requestEdits, onlyUpstream, tags);
    }

    /** A copy that forwards fields with unusual names. */
    public RequestPlan withUnusualNames() {
        return new RequestPlan(
                route, path, forwarded, credentialsPass, true, rewrittenPath, requestEdits, onlyUpstream, tags);
    }

    /** A copy with the decision of a filter that lets the request pass. */
    public RequestPlan with(FilterDecision decision) {
        return new RequestPlan(
                route,
                path,
                forwarded,
                credentialsPass,
                unusualNamesPass,
                decision.path().orElse(null),
                decision.headers(),
                decision.upstream().orElse(null),
                decision.tags());
    }

    /** A copy with these tags for the record. */
    public RequestPlan withTags(Map<String, String> shown) {
        return new RequestPlan(
                route,
                path,
                forwarded,
                credentialsPass,
                unusualNamesPass,
                rewrittenPath,
                requestEdits,
                onlyUpstream,
                shown);
    }
}
