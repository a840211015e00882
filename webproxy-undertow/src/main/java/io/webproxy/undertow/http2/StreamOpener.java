package io.webproxy.undertow.http2;

import java.util.function.Consumer;

/**
 * Opens the streams of an upstream's connection: as many as both sides allow, each with its number and its request
 * head.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class StreamOpener {
    private final OutboundConnection connection;
    private final OutboundConnection.Owner owner;
    private final ResponseReader reader;
    private final RequestBlock block = new RequestBlock();
    private final int most;
    private final int window;
    private int mostOfPeer = Integer.MAX_VALUE;
    /** The number of the next stream. */
    int next = 1;
    /** Streams that were opened and have sent nothing yet. */
    private int reserved;

    private boolean roomTold;

    /**
     * For a connection on which nothing was sent yet.
     *
     * @param most how many streams may be open at once, whatever the upstream allows
     * @param window the initial window of streams, in bytes
     */
    StreamOpener(
            OutboundConnection connection,
            OutboundConnection.Owner owner,
            ResponseReader reader,
            int most,
            int window) {
        this.connection = connection;
        this.owner = owner;
        this.reader = reader;
        this.most = most;
        this.window = window;
    }

    /** Sets how many concurrent streams the upstream allows. */
    void allowed(int streams) {
        mostOfPeer = streams;
        roomChanged();
    }

    /** How many more streams may be opened, unless the connection accepts none. */
    int room() {
        return Math.max(0, Math.min(most, mostOfPeer) - count());
    }

    /** Number of open streams. */
    int count() {
        return connection.streams.size() + reserved;
    }

    /** {@link #room} may have changed: tells the owner, once for all changes of a turn. */
    void roomChanged() {
        if (!roomTold && !connection.closed) {
            roomTold = true;
            connection.later(() -> {
                roomTold = false;
                if (!connection.isLeaving()) {
                    owner.roomChanged();
                }
            });
        }
    }

    /** Reserves a stream, without a number yet. */
    OutboundStream open(OutboundStream.Listener listener) {
        reserved++;
        return new OutboundStream(connection, listener, window);
    }

    /** A stream gets its number, or is given up: ends its reservation. False if it has none. */
    boolean takePlace(OutboundStream stream) {
        boolean had = stream.takePlace();
        if (had) {
            reserved--;
        }
        return had;
    }

    /** Sends the head of a stream's request, which gives the stream its number. */
    void send(OutboundStream stream, Consumer<RequestBlock> head, boolean end) {
        block.clear();
        head.accept(block);
        int id = next;
        RequestSink sink =
                new RequestSink(connection, stream, connection.initialSendWindow, block.contentLength(), end);
        if (!takePlace(stream) || connection.isLeaving() || connection.closed) {
            stream.sent(0, sink, Long.MAX_VALUE);
            sink.breakOff();
            connection.refuse(stream);
            return;
        }
        if (connection.streams.isEmpty()) {
            connection.waiting().heard(connection.sweeper.now());
        }
        next += 2;
        reader.opened(id, block.isHead(), block.isTunnel(), window);
        connection.streams.put(id, stream);
        connection.meter.asked();
        stream.sent(id, sink, Long.MAX_VALUE);
        try {
            block.encode(connection.encoder);
            connection.sender().block(id, end);
        } catch (Throwable e) {
            // HPACK's tables may have diverged
            connection.closeNow();
            throw e;
        }
        stream.sent(id, sink, connection.output.written() + connection.output.waiting());
        if (next < 0) {
            // RFC 9113 section 5.1.1
            connection.takeOut();
        }
    }
}
