package io.webproxy.undertow.forward;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.LongSupplier;
import org.xnio.conduits.AbstractStreamSinkConduit;
import org.xnio.conduits.StreamSinkConduit;

/** Puts comment lines into an event stream on its way to the client, when {@link SseHeartbeat} says so. Not thread-safe. */
final class HeartbeatSink extends AbstractStreamSinkConduit<StreamSinkConduit> {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final SseHeartbeat heartbeat;
    private final LongSupplier nanoClock;
    private ByteBuffer comment = NOTHING;
    private boolean terminating;

    HeartbeatSink(StreamSinkConduit next, SseHeartbeat heartbeat, LongSupplier nanoClock) {
        super(next);
        this.heartbeat = heartbeat;
        this.nanoClock = nanoClock;
    }

    /**
     * Writes a comment if one is due; it isn't flushed.
     *
     * @return how many bytes it added to the body, 0 if none is due
     */
    int beat(long now) throws IOException {
        if (terminating || comment.hasRemaining() || !heartbeat.isDue(now)) {
            return 0;
        }
        comment = heartbeat.comment(now);
        int length = comment.remaining();
        isCommentOut();
        return length;
    }

    private boolean isCommentOut() throws IOException {
        while (comment.hasRemaining()) {
            if (next.write(comment) == 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    public int write(ByteBuffer src) throws IOException {
        if (!isCommentOut()) {
            return 0;
        }
        int skipped = heartbeat.skipByteOrderMark(src);
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
        if (isCommentOut()) {
            next.terminateWrites();
        }
    }

    @Override
    public boolean flush() throws IOException {
        if (comment.hasRemaining()) {
            if (!isCommentOut()) {
                return false;
            }
            if (terminating) {
                next.terminateWrites();
            }
        }
        return next.flush();
    }
}
