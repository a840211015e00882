package io.webproxy.spi;

import io.webproxy.ProxyStatus;
import java.util.List;
import java.util.Objects;

/** The status of a port rule. The parameters are those of {@link ProxyStatus.Rule}. */
public record RuleData(
        String endpoint, String name, int open, long total, long refused, long failed, List<String> ejected)
        implements ProxyStatus.Rule {
    /** Copies the collections; nothing is null. */
    public RuleData {
        Objects.requireNonNull(endpoint, "endpoint");
        Objects.requireNonNull(name, "name");
        ejected = List.copyOf(ejected);
    }

    @Override
    public String toString() {
        return Text.of(
                "Rule",
                "endpoint",
                endpoint,
                "name",
                name,
                "open",
                open,
                "total",
                total,
                "refused",
                refused,
                "failed",
                failed,
                "ejected",
                ejected);
    }
}
