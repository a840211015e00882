package io.webproxy.undertow.http2;

/**
 * The flow-control windows for a client's uploads (RFC 9113 section 5.2), of each stream and of the connection. Reading
 * updates them in quarters of a window, and enlarges them while uploads are fast.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class ReceiveWindows {
    private final Http2Connection connection;
    private final UploadWindow growth;
    private final int first;
    /** How far the connection's window exceeds its initial size. */
    private int grown;
    /** Bytes read on all streams without a window update yet. */
    private int owed;

    /** Windows of {@code first} bytes initially; {@code growth} decides how far they grow. */
    ReceiveWindows(Http2Connection connection, UploadWindow growth, int first) {
        this.connection = connection;
        this.growth = growth;
        this.first = first;
    }

    /** The client's settings have arrived: its first frame shows that it reads. */
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

    /** Bytes without a reader: they have used the connection's window. */
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
