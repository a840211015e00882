package io.webproxy.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;

/** A port of the loopback address that neither accepts nor refuses: its queue of connections is full. */
public final class HangingPort implements AutoCloseable {
    private static final int ENOUGH_MILLIS = 200;

    private final ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    private final List<Socket> queued = new ArrayList<>();

    private HangingPort() throws IOException {
        boolean full = false;
        while (!full) {
            Socket socket = new Socket();
            queued.add(socket);
            try {
                socket.connect(server.getLocalSocketAddress(), ENOUGH_MILLIS);
            } catch (SocketTimeoutException e) {
                full = true;
            }
        }
    }

    public static HangingPort open() throws IOException {
        return new HangingPort();
    }

    public int port() {
        return server.getLocalPort();
    }

    /** {@code http://127.0.0.1:port}. */
    public String uri() {
        return "http://127.0.0.1:" + port();
    }

    @Override
    public void close() throws IOException {
        for (Socket socket : queued) {
            socket.close();
        }
        server.close();
    }
}
