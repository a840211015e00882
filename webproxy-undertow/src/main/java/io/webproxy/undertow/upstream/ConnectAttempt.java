package io.webproxy.undertow.upstream;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Upstream;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.xnio.IoFuture;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.ssl.SslConnection;

/**
 * One attempt to connect: the addresses one after the other, each 250 ms behind the one before or as soon as that has failed (RFC 8305
 * section 5); the first that answers wins. Not thread-safe: it belongs to the sweeper's IO thread.
 */
final class ConnectAttempt extends Watched {
    private static final long STAGGER_NANOS = 250_000_000L;
    private static final OptionMap OPTIONS = OptionMap.builder()
            .set(Options.TCP_NODELAY, true)
            .set(Options.KEEP_ALIVE, true)
            .getMap();

    private final Sweeper sweeper;
    private final Upstream upstream;
    private final ByteBufferPool buffers;
    private final @Nullable UndertowXnioSsl tls;
    private final Connector.Callback callback;
    private final long limit;
    private final long deadline;

    private final List<IoFuture<StreamConnection>> pending = new ArrayList<>();
    private List<InetAddress> addresses = List.of();
    private boolean resolved;
    private int next;
    private long nextAt = Long.MAX_VALUE;
    private @Nullable StreamConnection handshaking;
    private ForwardError error = ForwardError.CONNECT_UNREACHABLE;
    private String detail = "no address answered";
    private boolean done;

    ConnectAttempt(
            Sweeper sweeper,
            Upstream upstream,
            Duration limit,
            ByteBufferPool buffers,
            @Nullable UndertowXnioSsl tls,
            Connector.Callback callback) {
        this.sweeper = sweeper;
        this.upstream = upstream;
        this.buffers = buffers;
        this.tls = tls;
        this.callback = callback;
        this.limit = limit.toMillis();
        this.deadline = limit.isZero() ? Long.MAX_VALUE : sweeper.now() + limit.toNanos();
    }

    void start() {
        sweeper.watch(this);
    }

    void resolved(List<InetAddress> found) {
        if (done) {
            return;
        }
        resolved = true;
        addresses = found;
        if (found.isEmpty()) {
            fail(ForwardError.DNS, "the name " + upstream.host() + " has no address");
        } else {
            dial();
        }
    }

    private void dial() {
        InetSocketAddress address = new InetSocketAddress(addresses.get(next++), upstream.port());
        nextAt = next < addresses.size() ? sweeper.now() + STAGGER_NANOS : Long.MAX_VALUE;
        IoFuture<StreamConnection> future = sweeper.thread().openStreamConnection(address, null, null, OPTIONS);
        pending.add(future);
        future.addNotifier(
                (ended, attachment) -> {
                    if (Thread.currentThread() == sweeper.thread()) {
                        dialled(future);
                    } else {
                        IoTasks.execute(sweeper.thread(), () -> dialled(future));
                    }
                },
                null);
    }

    private void dialled(IoFuture<StreamConnection> future) {
        pending.remove(future);
        if (future.getStatus() == IoFuture.Status.DONE) {
            StreamConnection stream;
            try {
                stream = future.get();
            } catch (IOException e) {
                return;
            }
            if (done || handshaking != null) {
                IoUtils.safeClose(stream);
            } else {
                opened(stream);
            }
        } else if (!done && handshaking == null && future.getStatus() == IoFuture.Status.FAILED) {
            IOException why = future.getException();
            boolean refused = why instanceof ConnectException
                    && String.valueOf(why.getMessage())
                            .toLowerCase(java.util.Locale.ROOT)
                            .contains("refused");
            error = refused ? ForwardError.CONNECT_REFUSED : ForwardError.CONNECT_UNREACHABLE;
            detail = String.valueOf(why.getMessage());
            if (next < addresses.size()) {
                dial();
            } else if (pending.isEmpty()) {
                fail(error, detail);
            }
        }
    }

    private void opened(StreamConnection stream) {
        try {
            if (tls == null) {
                succeed(stream);
                return;
            }
            String host = upstream.host();
            SslConnection secure = tls.wrapExistingConnection(
                    stream,
                    OptionMap.builder()
                            .set(
                                    Options.SSL_PEER_HOST_NAME,
                                    host.startsWith("[") ? host.substring(1, host.length() - 1) : host)
                            .set(Options.SSL_PEER_PORT, upstream.port())
                            .getMap(),
                    true);
            handshaking = secure;
            secure.getHandshakeSetter().set(finished -> IoTasks.execute(sweeper.thread(), () -> succeed(secure)));
            secure.getSourceChannel().setReadListener(channel -> handshake(secure));
            secure.getSourceChannel()
                    .setCloseListener(channel -> IoTasks.execute(
                            sweeper.thread(), () -> tlsFailed("the upstream closed within the TLS handshake")));
            secure.startHandshake();
            secure.getSourceChannel().resumeReads();
            handshake(secure);
        } catch (Exception e) {
            // any: Conscrypt lets out what a trust manager throws, checked or not
            IoUtils.safeClose(stream);
            tlsFailed(String.valueOf(e.getMessage()));
        }
    }

    private void handshake(SslConnection secure) {
        if (done) {
            return;
        }
        try (PooledByteBuffer pooled = buffers.allocate()) {
            // application data can't come before the request
            pooled.getBuffer().limit(0);
            int read = secure.getSourceChannel().read(pooled.getBuffer());
            if (read < 0) {
                tlsFailed("the upstream closed within the TLS handshake");
            }
        } catch (Exception e) {
            // any: Conscrypt lets out what a trust manager throws, checked or not
            tlsFailed(String.valueOf(e.getMessage()));
        }
    }

    private void tlsFailed(String why) {
        fail(ForwardError.CONNECT_TLS, "TLS to " + upstream.authority() + " failed: " + why);
    }

    private void succeed(StreamConnection stream) {
        if (done) {
            return;
        }
        stream.getSourceChannel().setReadListener(null);
        stream.getSourceChannel().setCloseListener(null);
        if (!stream.isOpen()) {
            fail(ForwardError.UPSTREAM_CLOSED, "the upstream closed at once");
            return;
        }
        finish();
        callback.connected(stream);
    }

    private void fail(ForwardError what, String why) {
        if (done) {
            return;
        }
        finish();
        IoUtils.safeClose(handshaking);
        callback.failed(what, why);
    }

    private void finish() {
        done = true;
        sweeper.forget(this);
        List.copyOf(pending).forEach(IoFuture::cancel);
    }

    @Override
    protected long deadline() {
        return handshaking == null ? Math.min(deadline, nextAt) : deadline;
    }

    @Override
    protected void expired(long now) {
        if (deadline != Long.MAX_VALUE && sweeper.now() - deadline >= 0) {
            fail(
                    resolved ? ForwardError.CONNECT_TIMEOUT : ForwardError.DNS,
                    "no connection to " + upstream.authority() + " within " + limit + " ms");
        } else {
            dial();
        }
    }

    @Override
    protected void cut() {
        fail(ForwardError.CONNECT_UNREACHABLE, "the server is closing");
    }
}
