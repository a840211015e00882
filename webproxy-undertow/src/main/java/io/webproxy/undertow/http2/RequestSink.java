package io.webproxy.undertow.http2;

import io.undertow.util.HeaderMap;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends the body of a request, or the bytes of a tunnel, to an upstream. If the length is known, END_STREAM is sent
 * with the last bytes.
 *
 * <p>It doesn't throw when the stream is over: the rest of the body is discarded, because the response or the failure
 * arrives on the reading side. Not thread-safe: it belongs to the connection's IO thread.
 */
final class RequestSink extends StreamSink {
    private final OutboundStream stream;
    private final Http2Sender sender;
    private Supplier<@Nullable HeaderMap> trailers = () -> null;
    /** How many bytes are missing of the announced length, else -1. */
    private long missing;

    private boolean terminated;
    /** END_STREAM is in the output. */
    private boolean ended;

    private boolean finished;

    RequestSink(OutboundConnection connection, OutboundStream stream, long window, long length, boolean ended) {
        super(connection, stream, window);
        this.stream = stream;
        this.sender = connection.sender();
        this.missing = length;
        this.ended = ended;
        this.terminated = ended;
    }

    void trailers(Supplier<@Nullable HeaderMap> fields) {
        trailers = fields;
    }

    boolean isEnded() {
        return ended;
    }

    /** Whether the upstream has taken all of the body received so far, and more is to come. */
    boolean isAwaitingBody() {
        return !terminated && !broken && !isResumed();
    }

    @Override
    boolean isOver() {
        return broken || finished;
    }

    @Override
    boolean isTerminated() {
        return terminated;
    }

    private static int discard(ByteBuffer src) {
        int count = src.remaining();
        src.position(src.limit());
        return count;
    }

    @Override
    public int write(ByteBuffer src) throws ClosedChannelException {
        if (broken) {
            return discard(src);
        }
        if (!src.hasRemaining()) {
            return 0;
        }
        if (missing >= 0 && src.remaining() > missing) {
            stream.requestWrong("the request body is longer than its Content-Length");
            return discard(src);
        }
        if (terminated) {
            throw new ClosedChannelException();
        }
        int length = send(src, missing);
        if (length > 0) {
            stream.bytesTaken(length);
            if (missing >= 0) {
                missing -= length;
                if (missing == 0) {
                    end();
                }
            }
        }
        return length;
    }

    @Override
    public void terminateWrites() {
        if (terminated || broken) {
            return;
        }
        terminated = true;
        if (missing > 0) {
            stream.requestWrong("the request body is shorter than its Content-Length");
        } else if (!ended) {
            HeaderMap fields = trailers.get();
            sender.end(stream.id(), fields == null || fields.size() == 0 ? null : fields);
            end();
        }
    }

    private void end() {
        ended = true;
        stream.requestEnded();
    }

    @Override
    public boolean flush() {
        if (isOver()) {
            return true;
        }
        sender.flushSoon();
        flushWaits = sender.isBlocked();
        if (flushWaits) {
            return false;
        }
        finished = terminated;
        return true;
    }

    @Override
    public void truncateWrites() {
        breakOff();
    }

    @Override
    public boolean isWriteShutdown() {
        return terminated;
    }
}
