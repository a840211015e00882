package io.webproxy.undertow.endpoint;

import io.webproxy.undertow.deadline.DirectSockets;
import java.io.IOException;
import java.lang.reflect.Field;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.ChannelListener;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.XnioWorker;
import org.xnio.channels.AcceptingChannel;

/**
 * Accepts connections straight from a listening socket, on the thread that XNIO has for that.
 *
 * <p>XNIO (3.8.16) accepts without asking, and rests for up to half a minute when there is no descriptor for it, which
 * it tells nobody. It stops an IO thread while a connection is registered with it, and wakes the accepting thread
 * whenever one is closed: more than the half of what a short connection costs. None of this is part of XNIO's API:
 * where it can't be reached, XNIO accepts. No canary: it would have to take all descriptors of the tests' process.
 */
final class DirectAccept {
    private static final Logger LOG = LoggerFactory.getLogger(DirectAccept.class);

    private final AcceptingChannel<StreamConnection> server;
    private final @Nullable Raw raw;

    /** What of XNIO is needed to accept as it does. */
    private record Raw(ServerSocketChannel socket, XnioWorker worker, DirectSockets sockets) {}

    private DirectAccept(AcceptingChannel<StreamConnection> server, @Nullable Raw raw) {
        this.server = server;
        this.raw = raw;
    }

    /** For a server whose connections haven't been accepted yet. */
    @SuppressWarnings("unchecked")
    static DirectAccept of(AcceptingChannel<StreamConnection> queued) {
        AcceptingChannel<StreamConnection> server = queued;
        try {
            if (value(queued, "realServer") instanceof AcceptingChannel<?> real) {
                server = (AcceptingChannel<StreamConnection>) real;
                return new DirectAccept(server, raw(server));
            }
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOG.debug("The listening socket can't be reached: {}", e.toString());
        }
        return new DirectAccept(server, null);
    }

    private static @Nullable Raw raw(AcceptingChannel<StreamConnection> server) throws ReflectiveOperationException {
        DirectSockets sockets = DirectSockets.of(server.getWorker().getIoThread());
        return sockets != null && value(server, "channel") instanceof ServerSocketChannel socket
                ? new Raw(socket, server.getWorker(), sockets)
                : null;
    }

    private static Object value(Object of, String name) throws ReflectiveOperationException {
        Field field = of.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return field.get(of);
    }

    /** Whether an accept that finds no descriptor says so. */
    boolean saysWhatFails() {
        return raw != null;
    }

    /** What its accepts are suspended and resumed by, and what closes it. */
    AcceptingChannel<StreamConnection> server() {
        return server;
    }

    /** Who accepts when there is something to accept. */
    @SuppressWarnings("unchecked")
    void onReady(ChannelListener<AcceptingChannel<StreamConnection>> listener) {
        ((ChannelListener.Setter<AcceptingChannel<StreamConnection>>) server.getAcceptSetter()).set(listener);
    }

    /** The next connection, which belongs to one of the worker's IO threads; null if there is none. */
    @Nullable StreamConnection accept() throws IOException {
        if (raw == null) {
            return server.accept();
        }
        SocketChannel accepted = raw.socket().accept();
        if (accepted == null) {
            return null;
        }
        boolean taken = false;
        try {
            accepted.configureBlocking(false);
            accepted.setOption(StandardSocketOptions.TCP_NODELAY, true);
            accepted.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
            StreamConnection connection =
                    raw.sockets().connection(accepted, raw.worker().getIoThread());
            taken = true;
            return connection;
        } finally {
            if (!taken) {
                IoUtils.safeClose(accepted);
            }
        }
    }
}
