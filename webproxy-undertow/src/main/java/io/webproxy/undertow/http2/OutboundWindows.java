package io.webproxy.undertow.http2;

import io.undertow.connector.ByteBufferPool;
import io.webproxy.undertow.deadline.BodyRoom;

/**
 * The flow-control windows of an upstream's connection (RFC 9113 section 5.2): on each stream as much as memory allows
 * for a client that doesn't read, and more if the client keeps up.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class OutboundWindows {
    /** The initial window of a stream in bytes; a client that doesn't read leaves that much in memory. */
    static final int STREAM_WINDOW = 65_536;
    /** The minimum if memory is short. */
    private static final int SMALL_WINDOW = 8192;
    /** How many clients that don't read should fit into memory. */
    private static final int SLOW_CLIENTS = 1000;
    /** The initial window of the connection: what waits is limited only by the windows of streams. */
    private static final int CONNECTION_WINDOW = Http2Link.LARGEST_WINDOW;

    private final OutboundConnection connection;
    private final UploadWindow growth;
    /** How far the windows of all streams exceed their initial size. */
    private long grown;
    /** Bytes that have arrived without a window update yet. */
    private int owed;

    OutboundWindows(OutboundConnection connection, UploadWindow growth) {
        this.connection = connection;
        this.growth = growth;
    }

    /**
     * The initial window of a stream: half of its share of memory, in whole buffers, because one more buffer than
     * necessary may be in use, unless that is one.
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

    /** The window of a stream exceeds its initial size by more than before, or by less if negative. */
    void grown(long more) {
        grown += more;
        connection.bodies().grown(more);
    }
}
