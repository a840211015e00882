package io.webproxy.undertow.deadline;

import java.io.IOException;
import org.xnio.IoUtils;
import org.xnio.Options;
import org.xnio.StreamConnection;

/**
 * The end of a connection that can't be taken for the end of what it carries: a reset (RFC 9293 section 3.10.5).
 * Thread-safe.
 */
public final class Reset {
    private Reset() {}

    /** Makes the close of a connection a reset, whoever closes it. */
    public static void atClose(StreamConnection connection) {
        try {
            connection.setOption(Options.CLOSE_ABORT, true);
        } catch (IOException | IllegalArgumentException e) {
            // a plain close is what is left
        }
    }

    /** Resets a connection. */
    public static void now(StreamConnection connection) {
        atClose(connection);
        IoUtils.safeClose(connection);
    }
}
