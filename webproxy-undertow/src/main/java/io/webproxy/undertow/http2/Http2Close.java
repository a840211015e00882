package io.webproxy.undertow.http2;

import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.exchange.LingeringClose;
import io.webproxy.undertow.exchange.Origin;
import java.io.IOException;
import org.xnio.ChannelListeners;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;

/**
 * Closes a client's connection after GOAWAY and everything else was sent. A close with unread bytes is a TCP reset,
 * which can overtake GOAWAY: so this side closes its direction first, and the client has 2 s to do the same.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class Http2Close {
    private final StreamConnection socket;
    private final Origin origin;
    private final Sweeper sweeper;
    /** The code of the last GOAWAY, or -1. */
    private int code = -1;

    private boolean started;

    Http2Close(StreamConnection socket, Origin origin, Sweeper sweeper) {
        this.socket = socket;
        this.origin = origin;
        this.sweeper = sweeper;
    }

    /** GOAWAY with this code was sent (RFC 9113 section 7). */
    void said(int why) {
        code = why;
    }

    /** Starts it; later calls have no effect. */
    void start(Turns turns) {
        if (started) {
            return;
        }
        started = true;
        if (code == ErrorCode.NO_ERROR) {
            turns.stop();
            new LingeringClose(
                            socket,
                            origin,
                            origin.socket().getSourceChannel().getConduit(),
                            socket.getSinkChannel().getConduit(),
                            sweeper,
                            () -> {})
                    .start();
            return;
        }
        // a client that keeps flooding has to wait, which leaves it time to read GOAWAY
        try {
            socket.getSinkChannel().shutdownWrites();
            if (!socket.getSinkChannel().flush()) {
                socket.getSinkChannel()
                        .setWriteListener(ChannelListeners.flushingChannelListener(
                                null, (channel, e) -> IoUtils.safeClose(socket)));
                socket.getSinkChannel().resumeWrites();
            }
        } catch (IOException e) {
            IoUtils.safeClose(socket);
        }
    }
}
