package io.webproxy.undertow.http2;

import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.deadline.Watched;
import io.webproxy.undertow.http2.FrameReader.Phase;

/**
 * The time limits of an HTTP/2 connection: preface, settings and the rest of a field block have the limit of heads, the
 * next request that of keep-alive. Open streams have deadlines of their own.
 */
final class Http2Wait extends Watched {
    /** How long the client may take to receive GOAWAY. */
    private static final long CLOSE_NANOS = 2_000_000_000L;

    private final Http2Connection connection;
    private final FrameReader reader;
    private final long headNanos;
    private final long idleNanos;
    private Phase phase = Phase.START;
    private int heads;
    private boolean ending;
    private long since;

    Http2Wait(Http2Connection connection, FrameReader reader, HttpLimits limits, long now) {
        this.connection = connection;
        this.reader = reader;
        this.headNanos = limits.headTime().toNanos();
        this.idleNanos = limits.keepAliveTime().toNanos();
        this.since = now;
    }

    @Override
    protected void seen(long now) {
        connection.look(now);
        if (phase != reader.phase() || heads != reader.heads() || ending != connection.isEnding()) {
            phase = reader.phase();
            heads = reader.heads();
            ending = connection.isEnding();
            since = now;
        }
    }

    @Override
    protected long deadline() {
        // what a sweep sees for the first time starts now
        if (ending != connection.isEnding() || phase != reader.phase() || heads != reader.heads()) {
            return Long.MAX_VALUE;
        }
        if (ending) {
            return since + CLOSE_NANOS;
        }
        return switch (phase) {
            case START, HEAD -> since + headNanos;
            case IDLE -> since + idleNanos;
            case BUSY -> Long.MAX_VALUE;
        };
    }

    @Override
    protected void expired(long now) {
        if (ending) {
            connection.closeNow();
        } else {
            connection.goAway(ErrorCode.NO_ERROR);
        }
    }

    @Override
    protected void cut() {
        // its streams are cut, and then the server closes all connections
    }
}
