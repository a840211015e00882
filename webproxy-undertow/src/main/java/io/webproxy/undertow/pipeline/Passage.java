package io.webproxy.undertow.pipeline;

import io.webproxy.spi.HostPattern;
import io.webproxy.undertow.exchange.Exchange;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The way of one request through the stages, with the settings that were in force when it arrived. Not thread-safe: it
 * belongs to the exchange's IO thread.
 */
final class Passage {
    private final Stage[] stages;
    private final Exchange exchange;
    private final Settings settings;
    private final @Nullable String path;
    private @Nullable String host;
    private int next;

    /**
     * A request before the first stage.
     *
     * @param path normalised, or null for one that is malformed
     */
    Passage(Stage[] stages, Exchange exchange, Settings settings, @Nullable String path) {
        this.stages = stages;
        this.exchange = exchange;
        this.settings = settings;
        this.path = path;
    }

    /** Continues with the next stage, until one stops the request. */
    void goOn() throws Exception {
        while (next < stages.length) {
            Stage stage = stages[next];
            next++;
            if (!stage.pass(this)) {
                return;
            }
        }
    }

    Exchange exchange() {
        return exchange;
    }

    Settings settings() {
        return settings;
    }

    boolean hasPath() {
        return path != null;
    }

    /** The normalised path; only for a request whose head was accepted. */
    String path() {
        return Objects.requireNonNull(path, "path");
    }

    /** The host that the request is for, as {@code HostPattern.hostOf} gives it. */
    String host() {
        String known = host;
        if (known == null) {
            known = HostPattern.hostOf(exchange.head().authority());
            host = known;
        }
        return known;
    }
}
