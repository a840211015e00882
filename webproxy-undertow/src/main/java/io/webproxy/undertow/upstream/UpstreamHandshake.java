package io.webproxy.undertow.upstream;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.SocketReads;
import io.webproxy.undertow.tls.TlsFailure;
import java.io.Closeable;
import java.io.IOException;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.ssl.SslConnection;

/**
 * The TLS handshake on a new connection to an upstream. It reports its outcome to the connect attempt. Not thread-safe:
 * it belongs to the connection's IO thread.
 */
final class UpstreamHandshake implements Closeable {
    private final ConnectAttempt attempt;
    private final ByteBufferPool buffers;
    private final SocketReads reads;
    private final SslConnection secure;

    /**
     * A handshake that hasn't started.
     *
     * @throws RuntimeException also from native code, if TLS can't be set up on this connection
     */
    UpstreamHandshake(
            ConnectAttempt attempt,
            UndertowXnioSsl tls,
            StreamConnection stream,
            Destination destination,
            ByteBufferPool buffers)
            throws IOException {
        this.attempt = attempt;
        this.buffers = buffers;
        this.reads = SocketReads.underTls(stream);
        String host = destination.host();
        this.secure = tls.wrapExistingConnection(
                stream,
                OptionMap.builder()
                        .set(
                                Options.SSL_PEER_HOST_NAME,
                                host.startsWith("[") ? host.substring(1, host.length() - 1) : host)
                        .set(Options.SSL_PEER_PORT, destination.port())
                        .getMap(),
                true);
    }

    void start() throws IOException {
        secure.getHandshakeSetter()
                .set(finished -> IoTasks.execute(
                        secure.getIoThread(), () -> attempt.guarded(() -> attempt.succeed(secure, reads))));
        secure.getSourceChannel().setReadListener(channel -> attempt.guarded(this::read));
        secure.getSourceChannel().setCloseListener(channel -> attempt.later(this::ended));
        secure.startHandshake();
        secure.getSourceChannel().resumeReads();
        read();
    }

    private void read() {
        if (attempt.isDone()) {
            return;
        }
        try (PooledByteBuffer pooled = buffers.allocate()) {
            // application data can't arrive before the request is sent
            pooled.getBuffer().limit(0);
            int read = secure.getSourceChannel().read(pooled.getBuffer());
            if (read < 0) {
                ended();
            }
        } catch (Exception e) {
            // Throwable: native code may throw undeclared exceptions
            attempt.tlsFailed(TlsFailure.text(e));
        }
    }

    private void ended() {
        Exception why = TlsFailure.of(secure);
        attempt.tlsFailed(why == null ? "the upstream closed within the TLS handshake" : TlsFailure.text(why));
    }

    /** Closes the connection. */
    @Override
    public void close() throws IOException {
        secure.close();
    }
}
