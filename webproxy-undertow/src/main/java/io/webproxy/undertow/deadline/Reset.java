package io.webproxy.undertow.deadline;

import java.io.IOException;
import org.xnio.IoUtils;
import org.xnio.Options;
import org.xnio.StreamConnection;

/**
 * Ends connections by a TCP reset (RFC 9293 section 3.10.5), which a peer can't take for a complete message.
 * Thread-safe.
 */
public final class Reset {
    private Reset() {}

    /** Makes the later close of a connection a reset. */
    public static void atClose(StreamConnection connection) {
        try {
            connection.setOption(Options.CLOSE_ABORT, true);
        } catch (IOException | IllegalArgumentException e) {
            // only a plain close is left
        }
    }

    /** Resets a connection. */
    public static void now(StreamConnection connection) {
        atClose(connection);
        IoUtils.safeClose(connection);
    }
}
