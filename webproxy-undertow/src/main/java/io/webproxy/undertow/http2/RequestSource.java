package io.webproxy.undertow.http2;

import io.undertow.server.Connectors;

/**
 * The body of a request, or the bytes of a tunnel, from a client. Not thread-safe: it belongs to the connection's IO
 * thread.
 */
final class RequestSource extends StreamSource {
    private final Http2Stream stream;
    private final Http2Connection connection;

    RequestSource(Http2Stream stream) {
        super(stream.connection(), stream);
        this.stream = stream;
        this.connection = stream.connection();
    }

    @Override
    void consumed(int bytes) {
        connection.windows().consumed(stream, bytes);
    }

    @Override
    void unread(int bytes) {
        connection.windows().unread(bytes);
    }

    @Override
    void overflowed() {
        connection.overflowed(stream);
    }

    @Override
    void paused() {
        // an upstream's socket is written to at once
    }

    /**
     * Undertow (2.4.4) removes the read listener when a request is complete. So if there is a reader, completion waits
     * for it. Canary: {@code UndertowDefectsTest.readerIsForgottenBeforeItHasReadTheEnd}.
     */
    @Override
    boolean isEndAwaited() {
        return !stream.http().isRequestChannelAvailable();
    }

    @Override
    void completed() {
        Connectors.terminateRequest(stream.http());
    }
}
