package io.webproxy.undertow.upstream;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.webproxy.undertow.conduit.PlainSink;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.message.FieldParser;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;
import org.xnio.conduits.ConduitStreamSinkChannel;
import org.xnio.conduits.WriteReadyHandler;

/**
 * Sends the request body to the upstream after the head, framed by length or by chunks.
 *
 * <p>It never throws: once the upstream takes no more, whatever the reason, the rest of the body is discarded, because
 * the response or the failure arrives on the reading side. Not thread-safe.
 */
final class RequestBodySink implements PlainSink {
    private static final ByteBuffer EMPTY = ByteBuffer.allocate(0);

    private final UpstreamListener listener;
    private final ConduitStreamSinkChannel sink;
    private final boolean chunked;
    private final Supplier<@Nullable HeaderMap> trailers;
    private final ByteBuffer[] gather = new ByteBuffer[2];

    private ByteBuffer framing;
    private long remaining;
    private long chunkLeft;
    private boolean anyChunk;
    private boolean ended;
    private boolean complete;
    private boolean discarding;
    /** TLS holds a part of what it has taken, because the socket was full. */
    private boolean unflushed;

    private boolean writesResumed;
    private @Nullable WriteReadyHandler handler;

    /**
     * @param head the request head, written before anything else
     * @param trailers supplies the trailers after the body, or null for none
     */
    RequestBodySink(
            UpstreamListener listener,
            ConduitStreamSinkChannel sink,
            ByteBuffer head,
            RequestFraming framing,
            Supplier<@Nullable HeaderMap> trailers) {
        this.listener = listener;
        this.sink = sink;
        this.framing = head;
        this.chunked = framing.isChunked();
        this.remaining = framing.length();
        this.trailers = trailers;
        this.ended = framing.length() == 0;
    }

    /** Writes what is pending, as far as the socket takes it. */
    void start() {
        try {
            if (!flush()) {
                sink.resumeWrites();
            }
        } catch (Throwable e) {
            Guard.broken("sending a request body", e);
            discard();
        }
    }

    /** Whether the upstream's socket has taken all of the request. */
    boolean isComplete() {
        return complete && !discarding;
    }

    /** Whether all of the request was given to the socket, which may not have flushed it yet. */
    boolean isWritten() {
        return ended && !discarding && !framing.hasRemaining();
    }

    /** Whether the upstream has taken all of the body received so far, and more is to come. */
    boolean isAwaitingBody() {
        return !ended && !discarding && !writesResumed && !isPending();
    }

    /** Whether something waits here for the socket, whether the writer has more or not. */
    private boolean isPending() {
        return framing.hasRemaining() || unflushed;
    }

    /** From now on the body is read and discarded. */
    void discard() {
        if (!discarding) {
            discarding = true;
            framing = EMPTY;
            sink.suspendWrites();
            if (writesResumed) {
                wakeupWrites();
            }
        }
    }

    /** The socket is writable. */
    void writable() {
        if (isPending() && !writesResumed) {
            start();
            if (!isPending()) {
                sink.suspendWrites();
            }
        } else if (writesResumed && handler != null) {
            handler.writeReady();
        } else {
            sink.suspendWrites();
        }
    }

    @Override
    public int write(ByteBuffer src) throws IOException {
        if (discarding) {
            int count = src.remaining();
            src.position(src.limit());
            return count;
        }
        if (!src.hasRemaining()) {
            return 0;
        }
        if (!chunked && src.remaining() > remaining) {
            listener.requestBodyWrong("the request body is longer than its Content-Length");
            discard();
            return write(src);
        }
        try {
            return chunked ? writeChunk(src) : writePlain(src, src.remaining());
        } catch (Throwable e) {
            Guard.broken("sending a request body", e);
            discard();
            return write(src);
        }
    }

    private int writeChunk(ByteBuffer src) throws IOException {
        if (chunkLeft == 0) {
            chunkLeft = src.remaining();
            String line = (anyChunk ? "\r\n" : "") + Long.toHexString(chunkLeft) + "\r\n";
            // only the head can be pending here
            framing = ByteBuffer.allocate(framing.remaining() + line.length())
                    .put(framing)
                    .put(ascii(line))
                    .flip();
            anyChunk = true;
        }
        int written = writePlain(src, (int) Math.min(chunkLeft, src.remaining()));
        chunkLeft -= written;
        return written;
    }

    private int writePlain(ByteBuffer src, int most) throws IOException {
        int limit = src.limit();
        int start = src.position();
        src.limit(start + most);
        try {
            if (framing.hasRemaining()) {
                gather[0] = framing;
                gather[1] = src;
                sink.write(gather, 0, 2);
            } else {
                sink.write(src);
            }
        } finally {
            gather[1] = EMPTY;
            src.limit(limit);
        }
        int written = src.position() - start;
        if (written > 0) {
            remaining -= chunked ? 0 : written;
            // the writer may pause now, and wouldn't ask for a flush
            unflushed = !sink.flush();
            if (unflushed) {
                sink.resumeWrites();
            }
            listener.requestBytesTaken(written);
        }
        return written;
    }

    private boolean flushFraming() throws IOException {
        while (framing.hasRemaining()) {
            if (sink.write(framing) == 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean flush() throws IOException {
        if (discarding || complete) {
            return true;
        }
        try {
            unflushed = !flushFraming() || !sink.flush();
            complete = !unflushed && ended;
            return !unflushed;
        } catch (Throwable e) {
            Guard.broken("sending a request body", e);
            discard();
            return true;
        }
    }

    @Override
    public void terminateWrites() {
        if (ended || discarding) {
            return;
        }
        if (!chunked && remaining > 0) {
            listener.requestBodyWrong("the request body is shorter than its Content-Length");
            discard();
            return;
        }
        ended = true;
        if (chunked) {
            ByteArrayOutputStream end = new ByteArrayOutputStream();
            byte[] pending = new byte[framing.remaining()];
            framing.get(pending);
            end.writeBytes(pending);
            end.writeBytes(((anyChunk ? "\r\n" : "") + "0\r\n").getBytes(StandardCharsets.ISO_8859_1));
            HeaderMap fields = trailers.get();
            if (fields != null) {
                for (HeaderValues values : fields) {
                    for (String value : values) {
                        end.writeBytes(trailer(values.getHeaderName().toString(), value));
                    }
                }
            }
            end.writeBytes("\r\n".getBytes(StandardCharsets.ISO_8859_1));
            framing = ByteBuffer.wrap(end.toByteArray());
        }
    }

    /** Defence in depth: bytes that can't be part of a line are left out. */
    static byte[] trailer(String name, String value) {
        String line = FieldParser.isToken(name) && FieldParser.isValue(value) ? name + ": " + value + "\r\n" : "";
        return line.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static ByteBuffer ascii(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    @Override
    public void truncateWrites() {
        discard();
    }

    @Override
    public boolean isWriteShutdown() {
        return ended;
    }

    @Override
    public void resumeWrites() {
        writesResumed = true;
        if (discarding) {
            wakeupWrites();
        } else {
            sink.resumeWrites();
        }
    }

    @Override
    public void suspendWrites() {
        writesResumed = false;
        if (!discarding && !isPending()) {
            sink.suspendWrites();
        }
    }

    @Override
    public void wakeupWrites() {
        writesResumed = true;
        if (!discarding) {
            sink.resumeWrites();
        }
        IoTasks.execute(getWriteThread(), () -> {
            if (writesResumed && handler != null) {
                handler.writeReady();
            }
        });
    }

    @Override
    public boolean isWriteResumed() {
        return writesResumed;
    }

    @Override
    public void awaitWritable() throws IOException {
        sink.awaitWritable();
    }

    @Override
    public void awaitWritable(long time, TimeUnit unit) throws IOException {
        sink.awaitWritable(time, unit);
    }

    @Override
    public XnioIoThread getWriteThread() {
        return sink.getIoThread();
    }

    @Override
    public void setWriteReadyHandler(WriteReadyHandler other) {
        handler = other;
    }

    @Override
    public XnioWorker getWorker() {
        return sink.getWorker();
    }
}
