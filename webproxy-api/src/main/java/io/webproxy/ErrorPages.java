package io.webproxy;

import io.webproxy.http.Answer;
import io.webproxy.http.RequestHead;
import io.webproxy.observe.ForwardError;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The operator's own pages for what the proxy answers itself: errors, refusals, an unknown path. Answers of upstreams
 * are never touched.
 *
 * <p>Thread-safe. Called on an IO thread, so it must not block: load pages beforehand. What it throws is logged, and
 * the proxy's own page is sent.
 */
@FunctionalInterface
public interface ErrorPages {
    /**
     * What is answered.
     *
     * @param status of the answer, 400 to 599
     * @param error which leg failed; null when the proxy answers by configuration, as with 401 and 404
     * @param requestId as it stands in the record, so that a page can name it
     */
    record Failure(int status, @Nullable ForwardError error, String requestId) {}

    /**
     * The page. Its body and fields are sent in place of the proxy's own; the status and the fields that belong to it,
     * such as {@code WWW-Authenticate} and {@code Retry-After}, stay.
     *
     * @return empty for the proxy's own page
     */
    Optional<Answer> page(Failure failure, RequestHead request);
}
