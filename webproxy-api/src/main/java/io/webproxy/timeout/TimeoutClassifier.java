package io.webproxy.timeout;

import io.webproxy.http.RequestHead;
import io.webproxy.http.ResponseHead;

/**
 * Chooses the {@link TimeoutClass} of an exchange from its heads.
 *
 * <p>Called on an IO thread, once per head: it must be pure, fast and thread-safe. Exceptions are logged, and the
 * exchange keeps its class.
 */
public interface TimeoutClassifier {
    /** Returns the class for a request. A WebSocket handshake is {@code DEFAULT} until its 101. */
    TimeoutClass classify(RequestHead request);

    /**
     * Returns the class for a response. The caller keeps the one that waits longer, so that this never downgrades; only
     * a 101, after which there is a WebSocket in place of an exchange, gets the class of the answer whatever its limit.
     *
     * @param current the exchange's class so far; return it to change nothing
     */
    TimeoutClass upgrade(TimeoutClass current, ResponseHead response);

    /** The default rules with the default lists; see {@link StandardClassifier}. */
    static TimeoutClassifier standard() {
        return StandardClassifier.DEFAULTS;
    }
}
