package io.webproxy;

import io.webproxy.http.Answer;
import io.webproxy.http.RequestHead;
import io.webproxy.observe.ForwardError;
import io.webproxy.spi.FailureData;
import java.util.Optional;

/**
 * The operator's own pages for what the proxy answers itself: errors, refusals, an unknown path. Answers of upstreams
 * are never touched.
 *
 * <p>Thread-safe. Called on an IO thread, so it must not block: load pages beforehand. What it throws is logged, and
 * the proxy's own page is sent.
 */
@FunctionalInterface
public interface ErrorPages {
    /** What is answered. Made by the engine; immutable. */
    sealed interface Failure permits FailureData {
        /** Of the answer, 400 to 599. */
        int status();

        /** Which leg failed; empty when the proxy answers by configuration, as with 401 and 404. */
        Optional<ForwardError> error();

        /** As it stands in the record, so that a page can name it. */
        String requestId();
    }

    /**
     * The page. Its body and fields are sent in place of the proxy's own; the status and the fields that belong to it,
     * such as {@code WWW-Authenticate} and {@code Retry-After}, stay.
     *
     * @return empty for the proxy's own page
     */
    Optional<Answer> page(Failure failure, RequestHead request);
}
