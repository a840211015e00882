package io.webproxy.undertow.tunnel;

import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;

/** A TLS server behind NAT, so to speak. */
final class InnerTls {
    private InnerTls() {}

    /** It gives back what it is sent, for as long as the client likes. */
    static RawUpstream echoing() throws IOException {
        return RawUpstream.start(
                TestProxy.identity()
                        .sslContext()
                        .getServerSocketFactory()
                        .createServerSocket(0, 200, InetAddress.getLoopbackAddress()),
                connection -> {
                    Socket socket = connection.socket();
                    socket.setSoTimeout(0);
                    socket.getInputStream().transferTo(socket.getOutputStream());
                });
    }
}
