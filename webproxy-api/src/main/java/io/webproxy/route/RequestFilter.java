package io.webproxy.route;

import io.webproxy.http.RequestHead;

/**
 * A hook in each request of a route, after authentication and before an upstream is chosen: it sees the head, and lets
 * the request proceed, possibly changed, or answers it.
 *
 * <p>Thread-safe. Called on an IO thread, so it must not block: run slow work on an executor of the application, with
 * {@link FilterDecision#later}. Exceptions are logged and answered with 500.
 */
@FunctionalInterface
public interface RequestFilter {
    /**
     * Decides about the request; never returns null.
     *
     * @param request valid until this returns, or, for a {@linkplain FilterDecision#later later} decision, until the
     *     stage completes; any thread may read it, one at a time
     */
    FilterDecision filter(RequestHead request);
}
