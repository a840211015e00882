package io.webproxy.spi;

import io.webproxy.ProxyStatus;
import io.webproxy.observe.RelayEnd;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The status of a port with rules. The parameters are those of {@link ProxyStatus.Port}. */
public record PortData(String endpoint, List<ProxyStatus.Rule> rules, Map<RelayEnd, Long> undetected)
        implements ProxyStatus.Port {
    /** Copies the collections; nothing is null. */
    public PortData {
        Objects.requireNonNull(endpoint, "endpoint");
        rules = List.copyOf(rules);
        undetected = Map.copyOf(undetected);
    }

    @Override
    public String toString() {
        return Text.of("Port", "endpoint", endpoint, "rules", rules, "undetected", undetected);
    }
}
