package io.webproxy.undertow.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Arrays;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/**
 * TLS of the JDK for clients whose cipher isn't the point. The tests' JVMs do without the second compiler, which alone
 * knows the processor's instructions for AES: ChaCha20 takes a quarter of the time.
 */
final class QuickSockets extends SSLSocketFactory {
    private final SSLSocketFactory sockets;

    QuickSockets(SSLSocketFactory sockets) {
        this.sockets = sockets;
    }

    private static Socket quick(Socket socket) {
        SSLSocket tls = (SSLSocket) socket;
        tls.setEnabledCipherSuites(Arrays.stream(tls.getEnabledCipherSuites())
                .filter(suite -> suite.contains("_CHACHA20_"))
                .toArray(String[]::new));
        return tls;
    }

    @Override
    public String[] getDefaultCipherSuites() {
        return sockets.getDefaultCipherSuites();
    }

    @Override
    public String[] getSupportedCipherSuites() {
        return sockets.getSupportedCipherSuites();
    }

    @Override
    public Socket createSocket() throws IOException {
        return quick(sockets.createSocket());
    }

    @Override
    public Socket createSocket(Socket tcp, String host, int port, boolean autoClose) throws IOException {
        return quick(sockets.createSocket(tcp, host, port, autoClose));
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return quick(sockets.createSocket(host, port));
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress local, int localPort) throws IOException {
        return quick(sockets.createSocket(host, port, local, localPort));
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return quick(sockets.createSocket(host, port));
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) throws IOException {
        return quick(sockets.createSocket(host, port, local, localPort));
    }
}
