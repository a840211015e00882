package io.webproxy.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import javax.net.SocketFactory;

/** Sockets that send something before all else, as a load balancer does by the PROXY protocol; TLS comes behind it. */
public final class GreetingSockets extends SocketFactory {
    private final byte[] greeting;
    private final int piece;

    /** Sends bytes, in pieces of a size. */
    public GreetingSockets(byte[] greeting, int piece) {
        this.greeting = greeting.clone();
        this.piece = piece;
    }

    /** Sends the characters up to 0xff as bytes, one by one. */
    public static GreetingSockets oneByOne(String greeting) {
        return new GreetingSockets(greeting.getBytes(StandardCharsets.ISO_8859_1), 1);
    }

    @Override
    public Socket createSocket() {
        return new Socket() {
            @Override
            public void connect(SocketAddress address, int timeout) throws IOException {
                super.connect(address, timeout);
                setTcpNoDelay(true);
                for (int at = 0; at < greeting.length; at += piece) {
                    super.getOutputStream().write(greeting, at, Math.min(piece, greeting.length - at));
                }
            }
        };
    }

    /** A connection in clear to a port of the loopback address. */
    public RawConnection open(int port) throws IOException {
        Socket socket = createSocket();
        socket.connect(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), port), 5_000);
        return new RawConnection(socket);
    }

    @Override
    public Socket createSocket(String host, int port) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress local, int localPort) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(InetAddress host, int port) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) {
        throw new UnsupportedOperationException();
    }
}
