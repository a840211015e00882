package io.webproxy.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;

/** A port of the loopback address that refuses every connection: it is bound, so that no one else can take it, and never listens. */
public final class RefusedPort implements AutoCloseable {
    private final Socket bound = new Socket();

    private RefusedPort() throws IOException {
        bound.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    public static RefusedPort open() throws IOException {
        return new RefusedPort();
    }

    public int port() {
        return bound.getLocalPort();
    }

    /** {@code http://127.0.0.1:port}. */
    public String uri() {
        return "http://127.0.0.1:" + port();
    }

    @Override
    public void close() throws IOException {
        bound.close();
    }
}
