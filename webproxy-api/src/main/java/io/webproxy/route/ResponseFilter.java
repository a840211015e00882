package io.webproxy.route;

import io.webproxy.http.RequestHead;
import io.webproxy.http.ResponseHead;

/**
 * A hook in each response of a route's upstreams, before any byte of it is sent: it sees status and fields, and lets
 * the response proceed, possibly with other fields, or answers in its place. The body isn't shown.
 *
 * <p>It sees final responses, after retries and the route's edits, and none that the server makes itself. Interim
 * responses (1xx) and the switch to another protocol (101) pass without it.
 *
 * <p>Thread-safe. Called on an IO thread, so it must not block: run slow work on an executor of the application, with
 * {@link FilterDecision#later}. Exceptions are logged and answered with 500.
 */
@FunctionalInterface
public interface ResponseFilter {
    /**
     * Decides about the response; never returns null. A decision with a path or an upstream is an error: these are the
     * request's.
     *
     * @param request as received, with the authenticated user; valid as long as the response
     * @param response as the client would get it, but for what the server itself adds after it: its session cookie,
     *     {@code Strict-Transport-Security}, the framing. Valid until this returns, or, for a
     *     {@linkplain FilterDecision#later later} decision, until the stage completes; any thread may read it, one at a
     *     time
     */
    FilterDecision filter(RequestHead request, ResponseHead response);
}
