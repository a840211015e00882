package io.webproxy.undertow.upstream;

import java.net.SocketAddress;
import org.xnio.StreamConnection;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;
import org.xnio.conduits.WriteReadyHandler;

/** A stream to an upstream that carries a tunnel, as a connection of its own. */
final class Http2Tunnel extends StreamConnection {
    private final StreamConnection socket;
    private final Runnable close;

    /**
     * A tunnel.
     *
     * @param socket what carries the stream
     * @param close ends the stream, unless both directions have ended
     */
    Http2Tunnel(StreamConnection socket, StreamSinkConduit sink, StreamSourceConduit source, Runnable close) {
        super(socket.getIoThread());
        this.socket = socket;
        this.close = close;
        setSourceConduit(source);
        setSinkConduit(sink);
        source.setReadReadyHandler(new ReadReadyHandler.ChannelListenerHandler<>(getSourceChannel()));
        sink.setWriteReadyHandler(new WriteReadyHandler.ChannelListenerHandler<>(getSinkChannel()));
    }

    @Override
    protected void closeAction() {
        close.run();
    }

    @Override
    public SocketAddress getPeerAddress() {
        return socket.getPeerAddress();
    }

    @Override
    public SocketAddress getLocalAddress() {
        return socket.getLocalAddress();
    }
}
