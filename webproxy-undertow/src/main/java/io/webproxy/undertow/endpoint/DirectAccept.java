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
 * Accepts connections directly from the listening socket, on XNIO's accepting thread.
 *
 * <p>XNIO (3.8.16) doesn't check for a free descriptor, rests for up to half a minute when there is none, and doesn't
 * report that. It stops an IO thread while it registers a connection there, and wakes the accepting thread whenever one
 * is closed: more than half of the cost of a short connection. None of this is part of XNIO's API: where it can't be
 * reached, XNIO accepts. No canary: it would have to take all descriptors of the tests' process.
 */
final class DirectAccept {
    private static final Logger LOG = LoggerFactory.getLogger(DirectAccept.class);

    private final AcceptingChannel<StreamConnection> server;
    private final @Nullable Raw raw;

    /** The parts of XNIO that are needed to accept as it does. */
    private record Raw(ServerSocketChannel socket, XnioWorker worker, DirectSockets sockets) {}

    private DirectAccept(AcceptingChannel<StreamConnection> server, @Nullable Raw raw) {
        this.server = server;
        this.raw = raw;
    }

    /** For a server that hasn't accepted connections yet. */
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

    /** Whether {@link #accept} reports that there is no descriptor. */
    boolean saysWhatFails() {
        return raw != null;
    }

    /** Suspends and resumes accepts, and closes the socket. */
    AcceptingChannel<StreamConnection> server() {
        return server;
    }

    /** Sets the listener for connections to accept. */
    @SuppressWarnings("unchecked")
    void onReady(ChannelListener<AcceptingChannel<StreamConnection>> listener) {
        ((ChannelListener.Setter<AcceptingChannel<StreamConnection>>) server.getAcceptSetter()).set(listener);
    }

    /** Accepts the next connection, on one of the worker's IO threads; null if there is none. */
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
