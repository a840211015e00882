package io.webproxy.tls;

import io.webproxy.observe.ProxyObserver;
import io.webproxy.spi.ChallengeResponder;
import java.util.concurrent.ScheduledExecutorService;

/**
 * The services that a running server offers a {@link CertificateProvider} from {@code start} to {@code stop}.
 * Thread-safe.
 */
@SuppressWarnings("exports") // what only the engine reads has types of io.webproxy.spi
public interface CertificateContext {
    /**
     * Daemon threads for this provider only, which may block. When the provider stops, waiting tasks are dropped and
     * running ones are interrupted.
     */
    ScheduledExecutorService executor();

    /** Answers a CA's challenges on the server's own ports. */
    ChallengeResponder challenges();

    /**
     * Call it when {@link CertificateProvider#select} returns something else from now on. Sessions and tickets of the
     * old certificate stay valid. Cheap; any thread.
     */
    void changed();

    /**
     * Tells the server's observers of certificates, such as {@code observer().certificateRenewed(event)}; other events
     * are ignored. What observers throw is logged, and never reaches the caller.
     */
    ProxyObserver observer();
}
