package io.webproxy;

import org.jspecify.annotations.Nullable;

/**
 * Thrown if the server can't start or can't apply an update; the message is one sentence with the problem and the fix.
 */
public final class ProxyStartException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** An exception with this sentence. */
    public ProxyStartException(String message) {
        super(message);
    }

    /** An exception with this sentence and cause. */
    public ProxyStartException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
