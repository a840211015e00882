package io.webproxy.spi;

import io.webproxy.observe.TimeoutClassChange;
import io.webproxy.timeout.TimeoutClass;
import java.net.InetAddress;
import java.util.Objects;
import java.util.Optional;

/** A change of a timeout class. The parameters are those of {@link TimeoutClassChange}. */
public record TimeoutClassChangeData(
        InetAddress client,
        String method,
        String authority,
        String path,
        String route,
        Optional<TimeoutClass> from,
        TimeoutClass to)
        implements TimeoutClassChange {
    /** Nothing is null. */
    public TimeoutClassChangeData {
        Objects.requireNonNull(client, "client");
        Objects.requireNonNull(method, "method");
        Objects.requireNonNull(authority, "authority");
        Objects.requireNonNull(path, "path");
        Objects.requireNonNull(route, "route");
        Objects.requireNonNull(from, "from");
        Objects.requireNonNull(to, "to");
    }

    @Override
    public String toString() {
        return Text.of(
                "TimeoutClassChange",
                "client",
                client,
                "method",
                method,
                "authority",
                authority,
                "path",
                path,
                "route",
                route,
                "from",
                from,
                "to",
                to);
    }
}
