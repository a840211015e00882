package io.webproxy.spi;

import io.webproxy.observe.TunnelEvent;
import java.util.Objects;

/** An event of a tunnel. The parameters are those of {@link TunnelEvent}. */
public record TunnelEventData(String peer, String subject, String detail) implements TunnelEvent {
    /** Nothing is null. */
    public TunnelEventData {
        Objects.requireNonNull(peer, "peer");
        Objects.requireNonNull(subject, "subject");
        Objects.requireNonNull(detail, "detail");
    }

    @Override
    public String toString() {
        return Text.of("TunnelEvent", "peer", peer, "subject", subject, "detail", detail);
    }
}
