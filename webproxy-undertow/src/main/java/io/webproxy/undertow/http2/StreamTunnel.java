package io.webproxy.undertow.http2;

import java.net.SocketAddress;
import org.xnio.StreamConnection;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.WriteReadyHandler;

/** A stream that carries a tunnel (RFC 8441), as a connection of its own: its close resets the stream unless both directions have ended. */
final class StreamTunnel extends StreamConnection {
    private final Http2Stream stream;

    StreamTunnel(Http2Stream stream) {
        super(stream.getIoThread());
        this.stream = stream;
        setSourceConduit(stream.source());
        setSinkConduit(stream.sink());
        stream.source().setReadReadyHandler(new ReadReadyHandler.ChannelListenerHandler<>(getSourceChannel()));
        stream.sink().setWriteReadyHandler(new WriteReadyHandler.ChannelListenerHandler<>(getSinkChannel()));
    }

    @Override
    protected void closeAction() {
        stream.connection().tunnelClosed(stream);
    }

    @Override
    public SocketAddress getPeerAddress() {
        return stream.getPeerAddress();
    }

    @Override
    public SocketAddress getLocalAddress() {
        return stream.getLocalAddress();
    }
}
