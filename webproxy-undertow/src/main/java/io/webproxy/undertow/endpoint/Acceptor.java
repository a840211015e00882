package io.webproxy.undertow.endpoint;

import io.webproxy.undertow.deadline.DescriptorRoom;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Lease;
import io.webproxy.undertow.deadline.OncePerMinute;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;
import org.xnio.XnioWorker;
import org.xnio.channels.AcceptingChannel;

/** Accepts the connections of one endpoint, and hands each to its first handler on the connection's IO thread. */
public final class Acceptor {
    private static final Logger LOG = LoggerFactory.getLogger(Acceptor.class);
    private static final long PAUSE_MILLIS = 250;
    /** How long to wait for a connection that was closed to make room. */
    private static final long SHORT_PAUSE_MILLIS = 10;

    /** How many connections are accepted between two checks for a spare descriptor. */
    private static final int AT_ONCE = 32;

    /** Exchanges are cut first; their connections this much later. */
    private static final long AFTER_CUT_MILLIS = 250;

    private static final long LAST_ACCEPT_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private final OpenConnections open;
    private final Consumer<ClientConnection> first;
    private final Lease lease = new Lease();
    private volatile boolean closed;
    private final OncePerMinute warning = new OncePerMinute();

    /** An acceptor that hands connections to {@code first}. */
    public Acceptor(OpenConnections open, Consumer<ClientConnection> first) {
        this.open = open;
        this.first = first;
    }

    /** Binds an address; nothing is accepted there before accepts are resumed. */
    public AcceptingChannel<StreamConnection> listen(XnioWorker worker, InetSocketAddress address, OptionMap options)
            throws IOException {
        DirectAccept socket = DirectAccept.of(worker.createStreamConnectionServer(address, null, options));
        socket.onReady(ready -> accept(socket));
        return socket.server();
    }

    private void accept(DirectAccept socket) {
        try {
            acceptAll(socket);
        } catch (IOException e) {
            if (socket.server().isOpen()) {
                pause(socket.server(), String.valueOf(e.getMessage()));
            }
        } catch (Throwable e) {
            Guard.failed("accepting connections", e);
        }
    }

    private void acceptAll(DirectAccept socket) throws IOException {
        // after an accept that finds no descriptor XNIO rests longer each time, up to half a minute
        while (socket.saysWhatFails() || DescriptorRoom.hasSpare()) {
            long refusedBefore = open.refused();
            for (int i = 0; i < AT_ONCE && open.refused() == refusedBefore; i++) {
                StreamConnection accepted = socket.accept();
                if (accepted == null) {
                    return;
                }
                Guard.run("accepting a connection", () -> admit(accepted), () -> IoUtils.safeClose(accepted));
            }
        }
        pause(socket.server(), "too many open files");
    }

    private void admit(StreamConnection accepted) {
        ClientConnection client = open.admit(accepted, this);
        if (client == null) {
            IoUtils.safeClose(accepted);
        } else {
            IoTasks.execute(
                    accepted.getIoThread(),
                    () -> Guard.run("opening a connection", () -> first.accept(client), client::fail));
        }
    }

    /**
     * Stops accepting, and tells all connections that the endpoint is closing. Connections that the kernel has already
     * queued are accepted first, because closing the socket would reset them. This takes some milliseconds: don't call
     * it on an IO thread.
     */
    @SuppressWarnings("deprecation") // as all of XNIO's wake-ups are, for users
    public void close(AcceptingChannel<StreamConnection> server) {
        if (!server.isOpen()) {
            return;
        }
        try {
            // on an XNIO thread, which doesn't report that it's done
            server.wakeupAccepts();
            LockSupport.parkNanos(LAST_ACCEPT_NANOS);
        } finally {
            closed = true;
            IoUtils.safeClose(server);
            open.leave(this);
        }
    }

    /** Closes an endpoint of a server that keeps running: cuts the connections that are left after the drain time. */
    public void close(AcceptingChannel<StreamConnection> server, Duration drainTime) {
        lease.end(System.nanoTime() + drainTime.toNanos());
        close(server);
        IoTasks.executeAfter(server.getIoThread(), () -> open.cut(this), drainTime.toMillis() + AFTER_CUT_MILLIS);
    }

    /** The lease of the exchanges on its connections. */
    public Lease lease() {
        return lease;
    }

    boolean isClosed() {
        return closed;
    }

    /** Accepting failed, most likely for want of descriptors: retrying at once would only burn CPU. */
    private void pause(AcceptingChannel<StreamConnection> server, String why) {
        if (warning.isDue()) {
            LOG.warn(
                    "Can't accept connections on {} ({}): trying again each {} ms; raise the limit of open files if"
                            + " this stays",
                    server.getLocalAddress(),
                    why,
                    PAUSE_MILLIS);
        }
        // what can fail comes first: else accepting would stop for good
        long pause = open.resetOldestLingering() ? SHORT_PAUSE_MILLIS : PAUSE_MILLIS;
        IoTasks.executeAfter(server.getIoThread(), () -> goOn(server), pause);
        server.suspendAccepts();
    }

    private void goOn(AcceptingChannel<StreamConnection> server) {
        if (!closed) {
            server.resumeAccepts();
        }
    }
}
