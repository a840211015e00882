package io.webproxy.timeout;

import io.webproxy.http.RequestHead;
import io.webproxy.http.ResponseHead;

/**
 * Chooses the {@link TimeoutClass} of an exchange from its heads.
 *
 * <p>Called on an IO thread, once per head: it must be pure, fast and thread-safe. What it throws is logged, and the
 * exchange keeps the class it has.
 */
public interface TimeoutClassifier {
    /** The class that the request asks for. A WebSocket handshake is {@code DEFAULT} until its 101. */
    TimeoutClass classify(RequestHead request);

    /**
     * The class that the response asks for. The caller keeps the longer one, so that this never downgrades; only a 101,
     * after which there is a WebSocket in place of an exchange, gets the class of the answer whatever its limit.
     *
     * @param current what the exchange has so far; the answer when the response says nothing
     */
    TimeoutClass upgrade(TimeoutClass current, ResponseHead response);

    /** The default rules with the default lists; see {@link StandardClassifier}. */
    static TimeoutClassifier standard() {
        return StandardClassifier.DEFAULTS;
    }
}
