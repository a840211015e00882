package io.webproxy.timeout;

import java.util.Set;

/**
 * The paths of slow requests to model servers, found as whole segments anywhere in a path: {@code /v1/responses} is in
 * {@code /llm/v1/responses/7} and not in {@code /v1/responses-archive}. Pure.
 */
final class ModelPaths {
    /** The API of OpenAI, which many servers implement; {@code messages} is Anthropic's. */
    private static final Set<String> OPENAI =
            Set.of("audio", "batches", "completions", "embeddings", "images", "messages", "rerank", "responses");

    private static final Set<String> OLLAMA = Set.of("create", "embed", "pull");
    private static final Set<String> GRADIO = Set.of("data", "join");
    private static final String TRITON_MODELS = "/v2/models/";

    private ModelPaths() {}

    /**
     * Whether a path contains one of them.
     *
     * @param path in lower case
     */
    static boolean contains(String path) {
        return hasSegmentAfter("/v1/", OPENAI, path)
                || hasSegmentAfter("/api/", OLLAMA, path)
                || hasSegmentAfter("/queue/", GRADIO, path)
                || path.contains("/gradio_api/queue/")
                || path.contains("/sdapi/")
                || isTritonInference(path);
    }

    private static boolean hasSegmentAfter(String parent, Set<String> names, String path) {
        for (int at = path.indexOf(parent); at >= 0; at = path.indexOf(parent, at + 1)) {
            int start = at + parent.length();
            int slash = path.indexOf('/', start);
            if (names.contains(path.substring(start, slash < 0 ? path.length() : slash))) {
                return true;
            }
        }
        return false;
    }

    /** {@code /v2/models/NAME/infer}, or with {@code /versions/NUMBER} before the last segment. */
    private static boolean isTritonInference(String path) {
        int models = path.endsWith("/infer") ? path.indexOf(TRITON_MODELS) : -1;
        return models >= 0 && path.indexOf('/', models + TRITON_MODELS.length()) > 0;
    }
}
