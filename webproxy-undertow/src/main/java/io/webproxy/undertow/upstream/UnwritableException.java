package io.webproxy.undertow.upstream;

/** Thrown if a request head can't be sent in a protocol. */
public final class UnwritableException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** The message describes the problem without the bytes. */
    public UnwritableException(String message) {
        super(message, null, false, false);
    }
}
