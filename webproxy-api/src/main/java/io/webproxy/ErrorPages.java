package io.webproxy;

import io.webproxy.http.Answer;
import io.webproxy.http.RequestHead;
import io.webproxy.observe.ForwardError;
import io.webproxy.spi.FailureData;
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
    /** The response that a page is for. Made by the engine; immutable. */
    sealed interface Failure permits FailureData {
        /** Of the answer, 400 to 599. */
        int status();

        /** What failed; empty when the proxy answers by configuration, as with 401 and 404. */
        Optional<ForwardError> error();

        /** The request's id, as in the record, for the page to show. */
        String requestId();
    }

    /**
     * Returns the page. Its body and fields replace the proxy's own; the status and the fields that belong to it, such
     * as {@code WWW-Authenticate} and {@code Retry-After}, stay.
     *
     * @return empty for the proxy's own page
     */
    Optional<Answer> page(Failure failure, RequestHead request);
}
