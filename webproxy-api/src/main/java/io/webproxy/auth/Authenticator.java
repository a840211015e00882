package io.webproxy.auth;

import io.webproxy.http.RequestHead;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;

/**
 * Decides whether a request may pass.
 *
 * <p>Thread-safe. {@link #authenticate} is called on an IO thread and must not block: slow checks run on the executor
 * of {@link #start}, and complete the stage from any thread. A stage that fails answers 500.
 */
public interface Authenticator {
    /**
     * Called once for each server that uses this authenticator, before its first request.
     *
     * @param executor the server's daemon threads for slow or repeating tasks, which end with it; its queue is bounded,
     *     and rejects tasks when full
     * @throws IllegalArgumentException if it can't start, with one sentence that says what to do
     */
    default void start(ScheduledExecutorService executor) {}

    /** Called once when the server closes or stops using it. */
    default void stop() {}

    /**
     * Decides about a request; never returns null.
     *
     * @param request valid until the stage completes; any thread may read it, one at a time
     */
    CompletionStage<AuthDecision> authenticate(RequestHead request);

    /**
     * Whether the {@code Authorization} field is forwarded to the upstream after the check; false unless overridden.
     */
    default boolean forwardsCredentials() {
        return false;
    }
}
