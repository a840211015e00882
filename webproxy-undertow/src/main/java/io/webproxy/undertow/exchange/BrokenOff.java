package io.webproxy.undertow.exchange;

import java.io.IOException;

/**
 * An exchange breaks off, which ends the transfers of its bodies. It says nothing that a stack would explain, and comes as often as an upstream or a client likes: filling one
 * in costs more than all the rest of the abort.
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
