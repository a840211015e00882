package io.webproxy.undertow.forward;

import io.webproxy.undertow.conduit.EachWriteSink;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.LongSupplier;
import org.xnio.conduits.StreamSinkConduit;

/** Inserts comment lines into an event stream to the client when {@link SseHeartbeat} says so. Not thread-safe. */
final class HeartbeatSink extends EachWriteSink {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final SseHeartbeat heartbeat;
    private final LongSupplier nanoClock;

    /** What is to be sent before the next bytes of the body: usually a comment. */
    private ByteBuffer ahead = NOTHING;

    /** Whether body bytes wait for the socket; the size of their chunk may have been sent, in part or whole. */
    private boolean bodyWaits;

    private boolean terminating;

    HeartbeatSink(StreamSinkConduit next, SseHeartbeat heartbeat, LongSupplier nanoClock) {
        super(next);
        this.heartbeat = heartbeat;
        this.nanoClock = nanoClock;
    }

    /**
     * Writes a comment if one is due; it isn't flushed.
     *
     * @return number of bytes added to the body, 0 if none is due
     */
    int beat(long now) throws IOException {
        if (terminating || bodyWaits || ahead.hasRemaining() || !heartbeat.isDue(now)) {
            return 0;
        }
        ahead = heartbeat.comment(now);
        int length = ahead.remaining();
        isAheadOut();
        return length;
    }

    private boolean isAheadOut() throws IOException {
        while (ahead.hasRemaining()) {
            if (next.write(ahead) == 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    public int write(ByteBuffer src) throws IOException {
        int written = writeBehindAhead(src);
        bodyWaits = src.hasRemaining();
        return written;
    }

    private int writeBehindAhead(ByteBuffer src) throws IOException {
        if (!isAheadOut()) {
            return 0;
        }
        int skipped = heartbeat.skipByteOrderMark(src);
        if (!src.hasRemaining()) {
            return skipped;
        }
        ahead = heartbeat.unskipped();
        if (!isAheadOut()) {
            return skipped;
        }
        int start = src.position();
        int written = next.write(src);
        if (written > 0) {
            heartbeat.sent(src, start, nanoClock.getAsLong());
        }
        return skipped + written;
    }

    @Override
    public long write(ByteBuffer[] srcs, int offset, int length) throws IOException {
        long total = 0;
        for (int i = offset; i < offset + length; i++) {
            while (srcs[i].hasRemaining()) {
                int written = write(srcs[i]);
                if (written == 0) {
                    return total;
                }
                total += written;
            }
        }
        return total;
    }

    @Override
    public void terminateWrites() throws IOException {
        terminating = true;
        if (isAheadOut()) {
            next.terminateWrites();
        }
    }

    @Override
    public boolean flush() throws IOException {
        if (ahead.hasRemaining()) {
            if (!isAheadOut()) {
                return false;
            }
            if (terminating) {
                next.terminateWrites();
            }
        }
        return next.flush();
    }
}
