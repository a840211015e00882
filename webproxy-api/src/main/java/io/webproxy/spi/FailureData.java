package io.webproxy.spi;

import io.webproxy.ErrorPages;
import io.webproxy.observe.ForwardError;
import java.util.Objects;
import java.util.Optional;

/** What the proxy answers itself. The parameters are those of {@link ErrorPages.Failure}. */
public record FailureData(int status, Optional<ForwardError> error, String requestId) implements ErrorPages.Failure {
    /** Nothing is null. */
    public FailureData {
        Objects.requireNonNull(error, "error");
        Objects.requireNonNull(requestId, "requestId");
    }

    @Override
    public String toString() {
        return Text.of("Failure", "status", status, "error", error, "requestId", requestId);
    }
}
