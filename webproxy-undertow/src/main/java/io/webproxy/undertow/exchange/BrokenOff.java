package io.webproxy.undertow.exchange;

import java.io.IOException;

/**
 * Thrown when an exchange is aborted, to end the transfers of its bodies. It has no stack trace: none would explain
 * anything, aborts are as frequent as an upstream or a client likes, and filling in a trace costs more than the rest of
 * the abort.
 *
 * <p>Undertow's {@code Transfer} (2.4.4) keeps its buffer when both of its ends are closed; an exception makes it give
 * the buffer back. Canary: {@code UndertowDefectsTest.transferKeepsItsBufferWhenBothEndsAreClosed}.
 */
public final class BrokenOff extends IOException {
    private static final long serialVersionUID = 1L;

    /** With the reason as the message. */
    public BrokenOff(String why) {
        super(why);
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
