package io.webproxy.tls;

import io.webproxy.observe.CertificateEvent;
import io.webproxy.spi.ChallengeResponder;
import java.util.concurrent.ScheduledExecutorService;

/** What a running server lends a {@link CertificateProvider} from {@code start} to {@code stop}. Thread-safe. */
@SuppressWarnings("exports") // what only the engine reads has types of io.webproxy.spi
public interface CertificateContext {
    /**
     * Daemon threads of this provider's own, which may block. Tasks that wait when the provider is stopped are dropped,
     * running ones are interrupted.
     */
    ScheduledExecutorService executor();

    /** Answers a CA's challenges on the server's own ports. */
    ChallengeResponder challenges();

    /**
     * Says that {@link CertificateProvider#select} answers otherwise from now on. Sessions and tickets of the old
     * certificate stay good. Cheap; any thread.
     */
    void changed();

    /** Tells the server's observers. What they throw is logged and goes no further. */
    void publish(CertificateEvent event);
}
