package io.webproxy.undertow.http2;

import io.undertow.util.AbstractAttachable;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.exchange.Origin;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;
import org.xnio.channels.SslChannel;

/**
 * The client of an HTTP/2 connection, as shared by all its exchanges: its origin, TLS session, attachments, and close
 * listeners.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class Http2ClientSide {
    private final StreamConnection socket;
    private final Origin origin;
    private final AbstractAttachable attachments = new AbstractAttachable() {};
    private final List<Runnable> onClose = new ArrayList<>(0);

    Http2ClientSide(StreamConnection socket, Origin origin) {
        this.socket = socket;
        this.origin = origin;
    }

    Origin origin() {
        return origin;
    }

    /** Attachments that handlers keep for all exchanges of the connection. */
    AbstractAttachable attachments() {
        return attachments;
    }

    /** The TLS session; null in cleartext. */
    @Nullable SSLSession sslSession() {
        return socket instanceof SslChannel tls ? tls.getSslSession() : null;
    }

    /** The scheme of its requests, whatever they contain. */
    String scheme() {
        return sslSession() == null ? "http" : "https";
    }

    boolean isConnected() {
        return socket.isOpen();
    }

    void onClose(Runnable listener) {
        onClose.add(listener);
    }

    /** The socket is closed, and all streams have ended. */
    void gone() {
        onClose.forEach(listener -> Guard.run("the end of an HTTP/2 connection", listener));
    }
}
