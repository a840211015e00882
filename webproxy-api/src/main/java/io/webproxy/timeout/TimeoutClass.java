package io.webproxy.timeout;

/**
 * The class of an exchange's timeouts: each class has an idle limit in the {@link TimeoutPolicy}.
 *
 * <p>A class is chosen from the request head, may be upgraded by the response head, and is never downgraded.
 */
public enum TimeoutClass {
    /** All other exchanges; 60 s unless configured. */
    DEFAULT,
    /** Slow or streaming responses: chat completions, server-sent events, NDJSON, gRPC; 10 min unless configured. */
    LONG,
    /** Files and ranges; 30 min unless configured. */
    DOWNLOAD,
    /** A WebSocket, or another protocol that a route allows to switch to, after its 101; no limit unless configured. */
    WEBSOCKET
}
