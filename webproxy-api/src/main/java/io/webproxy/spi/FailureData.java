package io.webproxy.spi;

import io.webproxy.ErrorPages;
import io.webproxy.observe.ForwardError;
import java.util.Objects;
import java.util.Optional;

/** A response that the proxy makes itself. The parameters are those of {@link ErrorPages.Failure}. */
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
