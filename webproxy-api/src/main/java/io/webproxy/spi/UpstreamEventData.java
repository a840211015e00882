package io.webproxy.spi;

import io.webproxy.observe.ForwardError;
import io.webproxy.observe.UpstreamEvent;
import java.util.Objects;
import java.util.Optional;

/** An event of an upstream. The parameters are those of {@link UpstreamEvent}. */
public record UpstreamEventData(String upstream, Optional<ForwardError> error, String detail) implements UpstreamEvent {
    /** Nothing is null. */
    public UpstreamEventData {
        Objects.requireNonNull(upstream, "upstream");
        Objects.requireNonNull(error, "error");
        Objects.requireNonNull(detail, "detail");
    }

    @Override
    public String toString() {
        return Text.of("UpstreamEvent", "upstream", upstream, "error", error, "detail", detail);
    }
}
