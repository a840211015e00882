package io.webproxy.undertow.upstream;

/** A request head holds what can't be sent. */
public final class UnwritableException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** The message says what, without the bytes. */
    public UnwritableException(String message) {
        super(message, null, false, false);
    }
}
