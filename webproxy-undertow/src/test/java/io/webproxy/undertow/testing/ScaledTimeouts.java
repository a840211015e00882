package io.webproxy.undertow.testing;

import static io.webproxy.timeout.TimeoutClass.DEFAULT;
import static io.webproxy.timeout.TimeoutClass.DOWNLOAD;
import static io.webproxy.timeout.TimeoutClass.LONG;
import static io.webproxy.timeout.TimeoutClass.WEBSOCKET;

import io.webproxy.timeout.TimeoutPolicy;
import java.time.Duration;

/** The limits of all classes, far below the real ones, each different from the others. */
public final class ScaledTimeouts {
    public static final TimeoutPolicy SCALED = TimeoutPolicy.defaults()
            .with(DEFAULT, Duration.ofMillis(600))
            .with(LONG, Duration.ofMillis(1100))
            .with(DOWNLOAD, Duration.ofMillis(1500))
            .with(WEBSOCKET, Duration.ofMillis(1200));

    private ScaledTimeouts() {}
}
