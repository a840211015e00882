package io.webproxy.undertow.http2;

import io.webproxy.undertow.deadline.Watched;
import io.webproxy.undertow.http2.FrameReader.Phase;
import io.webproxy.undertow.http2.OutboundStream.Failure;
import java.util.concurrent.TimeUnit;

/**
 * The time limits of an upstream's connection: a started field block has the limit of heads, and so have the first
 * settings unless a request waits for them; with streams open the upstream must answer PINGs. The time of a response is
 * limited by its exchange.
 */
final class OutboundWait extends Watched {
    /** Silence before a PING. */
    static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(30);
    /**
     * The same if no frame of a stream has arrived since the last PING: gRPC servers close connections that send PINGs
     * more often than every 5 minutes.
     */
    static final long LONG_SILENCE_NANOS = TimeUnit.SECONDS.toNanos(310);

    static final long ANSWER_NANOS = TimeUnit.SECONDS.toNanos(15);
    /** How long sending GOAWAY may take. */
    private static final long CLOSE_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final OutboundConnection connection;
    private final FrameReader reader;
    private final long headNanos;
    private Phase phase = Phase.START;
    private int heads;
    private boolean ending;
    private long since;
    /** When something was read last, or when the first of the open streams was opened. */
    private long lastRead;
    /** A PING wasn't answered, and nothing else has arrived. */
    private boolean asked;

    private long askedAt;

    OutboundWait(OutboundConnection connection, FrameReader reader, long headNanos, long now) {
        this.connection = connection;
        this.reader = reader;
        this.headNanos = headNanos;
        this.since = now;
        this.lastRead = now;
    }

    /** Something has arrived, or is expected only from now on. */
    void heard(long now) {
        lastRead = now;
        asked = false;
    }

    private boolean isNews() {
        return phase != reader.phase() || heads != reader.heads() || ending != connection.isEnding();
    }

    @Override
    protected void seen(long now) {
        if (isNews()) {
            phase = reader.phase();
            heads = reader.heads();
            ending = connection.isEnding();
            since = now;
        }
        asked &= connection.streams() > 0;
        long silence = now - lastRead;
        if (!ending
                && !asked
                && connection.streams() > 0
                && silence >= (connection.frames().isHeard() ? SILENCE_NANOS : LONG_SILENCE_NANOS)) {
            asked = true;
            askedAt = now;
            connection.ping();
        }
    }

    @Override
    protected long deadline() {
        // what a sweep sees for the first time starts now
        if (isNews()) {
            return Long.MAX_VALUE;
        }
        if (ending) {
            return since + CLOSE_NANOS;
        }
        if (phase == Phase.HEAD || (phase == Phase.START && connection.streams() == 0)) {
            return since + headNanos;
        }
        return asked ? askedAt + ANSWER_NANOS : Long.MAX_VALUE;
    }

    @Override
    protected void expired(long now) {
        if (ending) {
            connection.closeNow();
            return;
        }
        // the answer may have arrived while the process was suspended
        connection.probe();
        long due = deadline();
        if (due == Long.MAX_VALUE || due - now > 0) {
            return;
        }
        if (asked && phase != Phase.HEAD) {
            connection.tooSlow(Failure.CLOSED, "the upstream didn't answer a PING");
        } else {
            connection.tooSlow(Failure.TOO_SLOW, "the rest of a field block, or the first settings, didn't come");
        }
    }

    @Override
    protected void cut() {
        // its streams are cut, and then the pool closes all connections
    }
}
