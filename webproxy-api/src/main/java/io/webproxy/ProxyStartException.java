package io.webproxy;

import org.jspecify.annotations.Nullable;

/**
 * The server can't start or can't take an update; the message is one sentence that says what is wrong and what to do.
 */
public final class ProxyStartException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** An exception with this sentence. */
    public ProxyStartException(String message) {
        super(message);
    }

    /** An exception with this sentence, and what led to it. */
    public ProxyStartException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
