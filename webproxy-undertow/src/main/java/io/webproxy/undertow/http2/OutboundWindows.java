package io.webproxy.undertow.http2;

import io.undertow.connector.ByteBufferPool;
import io.webproxy.undertow.deadline.BodyRoom;

/**
 * How much an upstream may send before it must wait (RFC 9113 section 5.2): on each stream as much as memory allows for
 * a client that doesn't read, and more where clients keep up.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class OutboundWindows {
    /**
     * What an upstream may send on a stream at first, in bytes; a client that doesn't read leaves that much in memory.
     */
    static final int STREAM_WINDOW = 65_536;
    /** The least where memory is short. */
    private static final int SMALL_WINDOW = 8192;
    /** So many clients that don't read should fit. */
    private static final int SLOW_CLIENTS = 1000;
    /**
     * What it may send on all streams together before any of it arrives: only the windows of streams bound what waits.
     */
    private static final int CONNECTION_WINDOW = Http2Link.LARGEST_WINDOW;

    private final OutboundConnection connection;
    private final UploadWindow growth;
    /** What the windows of all streams have beyond their first size. */
    private long grown;
    /** What has arrived on all streams, and isn't given back yet. */
    private int owed;

    OutboundWindows(OutboundConnection connection, UploadWindow growth) {
        this.connection = connection;
        this.growth = growth;
    }

    /**
     * The first window of a stream: half of what it may have in memory, in whole buffers: one more may be begun than
     * what waits fills, unless that is one.
     */
    static int first(BodyRoom room, ByteBufferPool buffers) {
        int buffer = buffers.getBufferSize();
        long half = room.share(SLOW_CLIENTS) / 2;
        return (int) Math.max(SMALL_WINDOW, Math.min(STREAM_WINDOW, half - half % buffer));
    }

    /** The connection starts. */
    void start() {
        connection.openWindow(0, CONNECTION_WINDOW - Http2Link.DEFAULT_WINDOW);
    }

    /** Bytes of a stream have arrived. */
    void received(int bytes) {
        owed += bytes;
        if (owed >= CONNECTION_WINDOW / 4) {
            connection.openWindow(0, owed);
            owed = 0;
        }
    }

    /** The reader of a stream has read bytes. */
    void consumed(OutboundStream stream, int bytes) {
        if (bytes == 0) {
            return;
        }
        stream.count();
        if (!stream.source().isEnded() && connection.isOpen(stream)) {
            BodyRoom bodies = connection.bodies();
            int due = stream.due(
                    bodies.isAmple() ? growth.growth() : 0,
                    Math.min(Http2Link.LARGEST_WINDOW - grown, bodies.growth()));
            if (due > 0) {
                connection.openWindow(stream.id(), due);
            }
            if (connection.frames().isHeard()) {
                connection.measure(bytes);
            }
        }
        stream.bytesRead(bytes);
    }

    /** The window of a stream has so many bytes beyond its first size, more than before, or less. */
    void grown(long more) {
        grown += more;
        connection.bodies().grown(more);
    }
}
