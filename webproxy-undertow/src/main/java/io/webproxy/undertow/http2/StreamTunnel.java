package io.webproxy.undertow.http2;

import java.net.SocketAddress;
import org.xnio.StreamConnection;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.WriteReadyHandler;

/**
 * A stream that carries a tunnel (RFC 8441), as a connection: closing it resets the stream unless both directions have
 * ended.
 */
final class StreamTunnel extends StreamConnection {
    private final StreamConnection socket;
    private final Runnable onClose;

    StreamTunnel(StreamConnection socket, LinkStream stream, Runnable onClose) {
        super(socket.getIoThread());
        this.socket = socket;
        this.onClose = onClose;
        setSourceConduit(stream.source());
        setSinkConduit(stream.sink());
        stream.source().setReadReadyHandler(new ReadReadyHandler.ChannelListenerHandler<>(getSourceChannel()));
        stream.sink().setWriteReadyHandler(new WriteReadyHandler.ChannelListenerHandler<>(getSinkChannel()));
    }

    @Override
    protected void closeAction() {
        onClose.run();
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
