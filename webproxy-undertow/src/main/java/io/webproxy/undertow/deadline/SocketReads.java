package io.webproxy.undertow.deadline;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.conduits.AbstractStreamSourceConduit;
import org.xnio.conduits.ConduitStreamSourceChannel;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;

/**
 * Reads from a socket without system calls that would find nothing: after a read that didn't fill its buffer the socket
 * is empty, and further reads return 0 until the selector reports more, or the end. The selector is level-triggered, so
 * nothing is missed.
 *
 * <p>It stands directly on the socket, under TLS if there is any: Undertow's {@code SslConduit} (2.4.4) asks for more
 * after each record. Canary: {@code SslConduitDefectsTest.socketIsAskedAgainAfterARecord}. To read without waiting for
 * the selector, such as to check an idle connection, call {@link #look()} first. Not thread-safe: it belongs to the
 * connection's IO thread.
 */
public final class SocketReads extends AbstractStreamSourceConduit<StreamSourceConduit> {
    private final StreamConnection connection;
    private final @Nullable SocketWrites writes;
    private ReadReadyHandler handler;
    private boolean empty;

    private SocketReads(
            StreamConnection connection, ConduitStreamSourceChannel channel, @Nullable SocketWrites writes) {
        super(channel.getConduit());
        this.connection = connection;
        this.writes = writes;
        this.handler = new ReadReadyHandler.ChannelListenerHandler<>(channel);
        next.setReadReadyHandler(new ReadReadyHandler() {
            @Override
            public void readReady() {
                empty = false;
                handler.readReady();
            }

            @Override
            public void forceTermination() {
                handler.forceTermination();
            }

            @Override
            public void terminated() {
                handler.terminated();
            }
        });
    }

    /** Takes over the reads of a cleartext socket; call it before a listener runs. */
    public static SocketReads of(StreamConnection socket) {
        return of(socket, null);
    }

    /** The same for a socket that TLS is about to be put on. */
    public static SocketReads underTls(StreamConnection socket) {
        return of(socket, SocketWrites.of(socket));
    }

    private static SocketReads of(StreamConnection socket, @Nullable SocketWrites writes) {
        SocketReads reads = new SocketReads(socket, socket.getSourceChannel(), writes);
        socket.getSourceChannel().setConduit(reads);
        return reads;
    }

    /**
     * A sink whose failed writes leave received bytes readable; TLS would discard them.
     *
     * @param sink of the connection, over this socket
     */
    public StreamSinkConduit readableAfterFailure(StreamSinkConduit sink) {
        return writes == null ? sink : writes.over(sink);
    }

    /** Lets the next read ask the socket, whatever the selector has reported. */
    public void look() {
        empty = false;
    }

    /** A socket that was closed here is at its end. */
    private boolean isKnownEmpty() {
        return empty && connection.isOpen();
    }

    @Override
    public int read(ByteBuffer dst) throws IOException {
        if (isKnownEmpty()) {
            return 0;
        }
        int read = next.read(dst);
        empty = read >= 0 && dst.hasRemaining();
        return read;
    }

    @Override
    public long read(ByteBuffer[] dsts, int offset, int length) throws IOException {
        if (isKnownEmpty()) {
            return 0;
        }
        long read = next.read(dsts, offset, length);
        empty = read >= 0 && length > 0 && dsts[offset + length - 1].hasRemaining();
        return read;
    }

    @Override
    public long transferTo(long position, long count, FileChannel target) throws IOException {
        look();
        return next.transferTo(position, count, target);
    }

    @Override
    public long transferTo(long count, ByteBuffer throughBuffer, StreamSinkChannel target) throws IOException {
        look();
        return next.transferTo(count, throughBuffer, target);
    }

    @Override
    public void terminateReads() throws IOException {
        look();
        next.terminateReads();
    }

    @Override
    public void wakeupReads() {
        look();
        next.wakeupReads();
    }

    @Override
    public void awaitReadable() throws IOException {
        look();
        next.awaitReadable();
    }

    @Override
    public void awaitReadable(long time, TimeUnit unit) throws IOException {
        look();
        next.awaitReadable(time, unit);
    }

    @Override
    public void setReadReadyHandler(ReadReadyHandler other) {
        handler = other;
    }
}
