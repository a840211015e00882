package io.webproxy.undertow.http2;

/**
 * The body of a response, or the bytes of a tunnel, from an upstream. Not thread-safe: it belongs to the connection's
 * IO thread.
 */
final class ResponseSource extends StreamSource {
    private final OutboundConnection connection;
    private final OutboundStream stream;

    ResponseSource(OutboundConnection connection, OutboundStream stream) {
        super(connection, stream);
        this.connection = connection;
        this.stream = stream;
    }

    @Override
    void consumed(int bytes) {
        connection.windows().consumed(stream, bytes);
    }

    @Override
    void unread(int bytes) {
        // the connection's window was updated when the bytes arrived
    }

    @Override
    void overflowed() {
        connection.overflowed(stream);
    }

    @Override
    void paused() {
        stream.paused();
    }

    @Override
    boolean isEndAwaited() {
        return true;
    }

    @Override
    void completed() {
        stream.responseRead();
    }
}
