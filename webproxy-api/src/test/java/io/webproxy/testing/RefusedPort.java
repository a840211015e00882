package io.webproxy.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;

/** A port that refuses every connection: it is bound, so that no one else can take it, and doesn't listen. */
public final class RefusedPort implements AutoCloseable {
    private final Socket bound = new Socket();

    private RefusedPort(InetSocketAddress address) throws IOException {
        bound.setOption(StandardSocketOptions.SO_REUSEPORT, true);
        bound.bind(address);
    }

    /** A port of the loopback address. */
    public static RefusedPort open() throws IOException {
        return new RefusedPort(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    /** A port of that address, 0 for any. */
    public static RefusedPort open(String address, int port) throws IOException {
        return new RefusedPort(new InetSocketAddress(address, port));
    }

    public int port() {
        return bound.getLocalPort();
    }

    /** {@code http://127.0.0.1:port}. */
    public String uri() {
        return "http://127.0.0.1:" + port();
    }

    /** From now on it is accepted from, without being let go in between. */
    public ServerSocket listen() throws IOException {
        ServerSocket server = new ServerSocket();
        server.setOption(StandardSocketOptions.SO_REUSEPORT, true);
        server.bind(bound.getLocalSocketAddress());
        return server;
    }

    @Override
    public void close() throws IOException {
        bound.close();
    }
}
