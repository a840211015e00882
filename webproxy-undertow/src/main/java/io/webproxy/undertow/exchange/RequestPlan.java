package io.webproxy.undertow.exchange;

import io.undertow.util.HttpString;
import io.webproxy.http.ForwardedHeaders;
import io.webproxy.route.FilterDecision;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.spi.HeaderEdit;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The decisions about a request before it is forwarded: those of its route, the authentication and the application's
 * filter. Immutable.
 *
 * @param path normalised; the route was chosen by it
 * @param forwarded which fields tell the upstream about the client
 * @param userFields which fields only this server sends
 * @param kept the client's fields that aren't forwarded: credentials for the proxy
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
        UserFields userFields,
        Set<HttpString> kept,
        boolean unusualNamesPass,
        @Nullable String rewrittenPath,
        List<HeaderEdit> requestEdits,
        @Nullable Upstream onlyUpstream,
        Map<String, String> tags) {
    /** The plan that follows from the route alone. */
    public static RequestPlan of(Route route, String path, ForwardedHeaders forwarded, UserFields userFields) {
        return new RequestPlan(route, path, forwarded, userFields, Set.of(), false, null, List.of(), null, Map.of());
    }

    /** A copy that doesn't forward these fields of the client: they are for the proxy only. */
    public RequestPlan keeping(Set<HttpString> credentials) {
        return new RequestPlan(
                route,
                path,
                forwarded,
                userFields,
                credentials,
                unusualNamesPass,
                rewrittenPath,
                requestEdits,
                onlyUpstream,
                tags);
    }

    /** A copy that forwards fields with unusual names. */
    public RequestPlan withUnusualNames() {
        return new RequestPlan(
                route, path, forwarded, userFields, kept, true, rewrittenPath, requestEdits, onlyUpstream, tags);
    }

    /** A copy with the decision of a filter that lets the request pass. */
    public RequestPlan with(FilterDecision decision) {
        return new RequestPlan(
                route,
                path,
                forwarded,
                userFields,
                kept,
                unusualNamesPass,
                decision.path().orElse(null),
                decision.headers(),
                decision.upstream().orElse(null),
                decision.tags());
    }

    /** A copy with these tags for the record, in addition to others. */
    public RequestPlan withTags(Map<String, String> more) {
        Map<String, String> all = new LinkedHashMap<>(tags);
        all.putAll(more);
        return new RequestPlan(
                route,
                path,
                forwarded,
                userFields,
                kept,
                unusualNamesPass,
                rewrittenPath,
                requestEdits,
                onlyUpstream,
                Collections.unmodifiableMap(all));
    }
}
