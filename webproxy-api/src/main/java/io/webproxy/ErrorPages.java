package io.webproxy;

import io.webproxy.http.Answer;
import io.webproxy.http.RequestHead;
import io.webproxy.observe.ForwardError;
import java.util.Optional;

/**
 * The operator's pages for responses that the proxy makes itself: errors, refusals, an unknown path. Upstreams'
 * responses are never touched.
 *
 * <p>Thread-safe. Called on an IO thread, so it must not block: load pages beforehand. What it throws is logged, and
 * the proxy's own page is sent.
 */
@FunctionalInterface
public interface ErrorPages {
    /**
     * Returns the page. Its body and fields replace the proxy's own; the status and the fields that belong to it, such
     * as {@code WWW-Authenticate} and {@code Retry-After}, stay.
     *
     * @param status of the answer, 400 to 599
     * @param error what failed; empty when the proxy answers by configuration, as with 401 and 404
     * @param request with {@link RequestHead#requestId()}, the id in the record, for the page to show
     * @return empty for the proxy's own page
     */
    Optional<Answer> page(int status, Optional<ForwardError> error, RequestHead request);
}
