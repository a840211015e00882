package io.webproxy.route;

import io.webproxy.http.RequestHead;

/**
 * A hook in each request of a route, after authentication and before an upstream is chosen: it sees the head, and lets
 * the request go on, changed if wanted, or answers it.
 *
 * <p>Thread-safe. Called on an IO thread, so it must not block: what takes time goes to the application's own executor
 * by {@link FilterDecision#later}. What it throws is logged and answered with 500.
 */
@FunctionalInterface
public interface RequestFilter {
    /**
     * What becomes of the request; never null.
     *
     * @param request valid until the decision is made, which is when the stage completes for one that comes
     *     {@linkplain FilterDecision#later later}; any thread may read it, one at a time
     */
    FilterDecision filter(RequestHead request);
}
