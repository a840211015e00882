package io.webproxy.spi;

import io.webproxy.observe.RelayEnd;
import io.webproxy.observe.RelayRecord;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/** The record of a relay. The parameters are those of {@link RelayRecord}. */
public record RelayData(
        Instant start,
        InetSocketAddress client,
        String endpoint,
        Optional<String> rule,
        Optional<InetSocketAddress> source,
        Optional<String> target,
        long sent,
        long received,
        Duration duration,
        RelayEnd end,
        String detail)
        implements RelayRecord {
    /** Nothing is null. */
    public RelayData {
        Objects.requireNonNull(start, "start");
        Objects.requireNonNull(client, "client");
        Objects.requireNonNull(endpoint, "endpoint");
        Objects.requireNonNull(rule, "rule");
        Objects.requireNonNull(source, "source");
        Objects.requireNonNull(target, "target");
        Objects.requireNonNull(duration, "duration");
        Objects.requireNonNull(end, "end");
        Objects.requireNonNull(detail, "detail");
    }

    @Override
    public String toString() {
        return Text.of(
                "RelayRecord",
                "start",
                start,
                "client",
                client,
                "endpoint",
                endpoint,
                "rule",
                rule,
                "source",
                source,
                "target",
                target,
                "sent",
                sent,
                "received",
                received,
                "duration",
                duration,
                "end",
                end,
                "detail",
                detail);
    }
}
