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

    /**
     * The default rules with the default lists.
     *
     * <p>A request is {@code DOWNLOAD} when it has a {@code Range} field, when its last segment has a known file
     * extension, when its path has a segment such as {@code download}, or when it accepts
     * {@code application/octet-stream}; it is {@code LONG} when its path contains one of the long fragments, when it is
     * one of today's model servers' paths, when it accepts a streaming type: an event stream, NDJSON, gRPC or gRPC-Web,
     * or when its content is gRPC or gRPC-Web, in any message encoding ({@code application/grpc+proto}). A WebSocket
     * handshake is {@code DEFAULT}, whatever its path. A response is {@code DOWNLOAD} with status 206 or
     * {@code Content-Disposition: attachment}, {@code LONG} with a streaming type, {@code WEBSOCKET} with 101. Where
     * two rules match, {@code DOWNLOAD} wins. All comparisons ignore case.
     *
     * <p>The model servers' paths, as whole segments anywhere in the path, after a prefix too: {@code /v1/} followed by
     * {@code completions}, {@code responses}, {@code messages}, {@code images}, {@code audio}, {@code embeddings},
     * {@code batches} or {@code rerank}; {@code /api/embed}, {@code /api/pull} and {@code /api/create} (Ollama);
     * {@code /v2/models/…/infer} (Triton); {@code /sdapi/} (Stable Diffusion WebUI); {@code /gradio_api/queue/},
     * {@code /queue/join} and {@code /queue/data} (Gradio). {@link TimeoutPolicy#withLongPaths} replaces them together
     * with the fragments.
     *
     * <p>{@link TimeoutPolicy} replaces each list ({@code with…}) or adds to it ({@code plus…}). The path is the
     * client's, before a route strips or rewrites it.
     */
    static TimeoutClassifier standard() {
        return StandardClassifier.DEFAULTS;
    }
}
