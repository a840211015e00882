package io.webproxy.timeout;

/**
 * How patient an exchange is: each class has one idle limit in the {@link TimeoutPolicy}.
 *
 * <p>A class is chosen from the request head, may be upgraded by the response head, and is never downgraded.
 */
public enum TimeoutClass {
    /** Everything that is nothing else; 60 s unless configured. */
    DEFAULT,
    /** Answers that think or stream: chat completions, server-sent events, NDJSON, gRPC; 10 min unless configured. */
    LONG,
    /** Files and ranges; 30 min unless configured. */
    DOWNLOAD,
    /** A WebSocket, or what else a route allows to switch to, after its 101; no limit unless configured. */
    WEBSOCKET
}
