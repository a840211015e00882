package io.webproxy.undertow.pipeline;

import io.webproxy.spi.HostPattern;
import io.webproxy.undertow.exchange.Exchange;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A request on its way through the stages, with the settings that held when it came. Not thread-safe: it belongs to the
 * exchange's IO thread.
 */
final class Passage {
    private final Stage[] stages;
    private final Exchange exchange;
    private final Settings settings;
    private final @Nullable String path;
    private @Nullable String host;
    private int next;

    /**
     * A request in front of the first stage.
     *
     * @param path normalised, or null for one that is malformed
     */
    Passage(Stage[] stages, Exchange exchange, Settings settings, @Nullable String path) {
        this.stages = stages;
        this.exchange = exchange;
        this.settings = settings;
        this.path = path;
    }

    /** To the next stage, and as far as they let it. */
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

    /** The normalised path; of a request whose head is in order. */
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
