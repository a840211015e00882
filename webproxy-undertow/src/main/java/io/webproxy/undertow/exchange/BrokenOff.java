package io.webproxy.undertow.exchange;

import java.io.IOException;

/**
 * An exchange breaks off, which ends the transfers of its bodies. It says nothing that a stack would explain, and comes
 * as often as an upstream or a client likes: filling one in costs more than all the rest of the abort.
 *
 * <p>Undertow's {@code Transfer} (2.4.4) keeps its buffer when both of its ends are closed; an exception makes it give
 * the buffer back. Canary: {@code UndertowDefectsTest.transferKeepsItsBufferWhenBothEndsAreClosed}.
 */
public final class BrokenOff extends IOException {
    private static final long serialVersionUID = 1L;

    /** For a reason. */
    public BrokenOff(String why) {
        super(why);
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
