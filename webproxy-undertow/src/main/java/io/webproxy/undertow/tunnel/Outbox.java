package io.webproxy.undertow.tunnel;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.xnio.channels.StreamSinkChannel;

/**
 * The outgoing messages of one control channel, waiting or being sent. Messages that wait at the same time share a TLS
 * record. Belongs to the channel's IO thread, except for {@link #add}, which any thread may call.
 */
final class Outbox {
    /** A peer that lets so many messages wait, a long one counting as several, isn't reading. */
    private static final int MOST_WAITING = 16_384;

    private static final int MOST_OF_RECORD = 64;

    private final ByteBufferPool buffers;
    private final ConcurrentLinkedQueue<Message> messages = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private final ArrayDeque<ByteBuffer> frames = new ArrayDeque<>();
    private @Nullable PooledByteBuffer record;

    Outbox(ByteBufferPool buffers) {
        this.buffers = buffers;
    }

    /**
     * Adds a message, in the order of the calls of one thread.
     *
     * @return false if so many wait that the peer can't be reading
     */
    boolean add(Message message) {
        messages.add(message);
        return waiting.addAndGet(weight(message)) <= MOST_WAITING;
    }

    /** The memory of a message, relative to that of a request for a connection. */
    private static int weight(Message message) {
        return message instanceof Message.Result result
                ? 1 + 2 * result.verdicts().size()
                : 1;
    }

    /** Writes waiting messages; returns false if the channel doesn't take all of them now. */
    boolean writeTo(StreamSinkChannel sink) throws IOException {
        boolean sent = true;
        while (sent && fill()) {
            sent = writeRecord(sink);
        }
        return sent;
    }

    /** Collects frames for one record; returns whether there is something to write. */
    private boolean fill() {
        PooledByteBuffer current = record;
        if (current != null && current.getBuffer().hasRemaining()) {
            return true;
        }
        for (Message message = messages.poll(); message != null; message = messages.poll()) {
            waiting.addAndGet(-weight(message));
            frames.add(Frames.of(message));
            if (frames.size() >= MOST_OF_RECORD) {
                break;
            }
        }
        if (frames.isEmpty()) {
            return false;
        }
        if (current == null) {
            current = buffers.allocate();
            record = current;
        }
        ByteBuffer bytes = current.getBuffer().clear();
        for (ByteBuffer frame = frames.peek(); frame != null && bytes.hasRemaining(); frame = frames.peek()) {
            int count = Math.min(frame.remaining(), bytes.remaining());
            bytes.put(frame.duplicate().limit(frame.position() + count));
            frame.position(frame.position() + count);
            if (!frame.hasRemaining()) {
                frames.remove();
            }
        }
        bytes.flip();
        return true;
    }

    private boolean writeRecord(StreamSinkChannel sink) throws IOException {
        PooledByteBuffer current = record;
        if (current == null) {
            return true;
        }
        ByteBuffer bytes = current.getBuffer();
        while (bytes.hasRemaining()) {
            if (sink.write(bytes) == 0) {
                return false;
            }
        }
        current.close();
        record = null;
        return true;
    }

    /** The channel is closed: discards all messages. */
    void discard() {
        PooledByteBuffer left = record;
        record = null;
        if (left != null) {
            left.close();
        }
        messages.clear();
        frames.clear();
    }
}
