package io.webproxy.undertow.http2;

/**
 * How much a client may send on a connection before it must wait (RFC 9113 section 5.2), on each stream and on all
 * together. What was read is given back in quarters of a window, and more than that while uploads are fast.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class ReceiveWindows {
    private final Http2Connection connection;
    private final UploadWindow growth;
    private final int first;
    /** By how much the window of the connection is larger than at first. */
    private int grown;
    /** What was read of all streams, and isn't given back yet. */
    private int owed;

    /** Windows that start with {@code first} bytes; {@code growth} says how far they grow. */
    ReceiveWindows(Http2Connection connection, UploadWindow growth, int first) {
        this.connection = connection;
        this.growth = growth;
        this.first = first;
    }

    /** The client's settings have arrived: its first frame is a sign that it reads. */
    void start() {
        if (first > Http2Link.DEFAULT_WINDOW) {
            connection.openWindow(0, first - Http2Link.DEFAULT_WINDOW);
        }
    }

    /** Bytes of a stream were read. */
    void consumed(Http2Stream stream, int bytes) {
        if (bytes == 0) {
            return;
        }
        unread(bytes);
        if (!stream.source().isEnded() && connection.isOpen(stream)) {
            int due = stream.owe(bytes, first / 4);
            if (due > 0) {
                connection.openWindow(stream.id(), due + stream.growBy(growth.growth()));
            }
        }
        connection.measure(bytes);
    }

    /** Bytes of a stream that have no reader: they have used the connection's window. */
    void unread(int bytes) {
        owed += bytes;
        if (owed >= first / 4) {
            int due = owed + growth.growth() - grown;
            grown = growth.growth();
            owed = 0;
            connection.openWindow(0, due);
        }
    }
}
