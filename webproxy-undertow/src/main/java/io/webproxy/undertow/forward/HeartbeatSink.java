package io.webproxy.undertow.forward;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.function.LongSupplier;
import org.xnio.IoUtils;
import org.xnio.channels.StreamSourceChannel;
import org.xnio.conduits.AbstractStreamSinkConduit;
import org.xnio.conduits.ConduitWritableByteChannel;
import org.xnio.conduits.Conduits;
import org.xnio.conduits.StreamSinkConduit;

/** Puts comment lines into an event stream on its way to the client, when {@link SseHeartbeat} says so. Not thread-safe. */
final class HeartbeatSink extends AbstractStreamSinkConduit<StreamSinkConduit> {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final SseHeartbeat heartbeat;
    private final LongSupplier nanoClock;

    /** What is on its way to the client in front of the body: a comment, as a rule. */
    private ByteBuffer ahead = NOTHING;

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
        if (terminating || ahead.hasRemaining() || !heartbeat.isDue(now)) {
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
    public int writeFinal(ByteBuffer src) throws IOException {
        return Conduits.writeFinalBasic(this, src);
    }

    @Override
    public long writeFinal(ByteBuffer[] srcs, int offset, int length) throws IOException {
        return Conduits.writeFinalBasic(this, srcs, offset, length);
    }

    @Override
    public long transferFrom(FileChannel source, long position, long count) throws IOException {
        return source.transferTo(position, count, new ConduitWritableByteChannel(this));
    }

    @Override
    public long transferFrom(StreamSourceChannel source, long count, ByteBuffer throughBuffer) throws IOException {
        return IoUtils.transfer(source, count, throughBuffer, new ConduitWritableByteChannel(this));
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
