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
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

/** Accepts the connections of one endpoint, and hands each to its first handler on the connection's IO thread. */
public final class Acceptor {
    private static final Logger LOG = LoggerFactory.getLogger(Acceptor.class);
    private static final long PAUSE_MILLIS = 250;
    /** How long to wait for a connection that was closed to make room. */
    private static final long SHORT_PAUSE_MILLIS = 10;

    /** How many connections a thread opens before its others have their turn. */
    private static final int AT_ONCE = 32;

    /** The same for connections that are closed at once, because of a limit. */
    private static final int MOST_AT_ONCE = 256;

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

    /** Binds an address; nothing is accepted there before it is resumed. */
    public ListeningSocket listen(XnioWorker worker, InetSocketAddress address, OptionMap options) throws IOException {
        ListeningSocket socket = ListeningSocket.bind(worker, address, options);
        socket.onReady(() -> accept(socket));
        return socket;
    }

    private void accept(ListeningSocket socket) {
        try {
            boolean more = true;
            while (more) {
                if (!socket.isDirect() && !DescriptorRoom.hasSpare()) {
                    // after an accept that finds no descriptor XNIO rests longer each time, up to half a minute
                    pause(socket, "too many open files");
                    return;
                }
                more = acceptSome(socket) && !socket.isDirect();
            }
        } catch (IOException e) {
            if (socket.isOpen()) {
                pause(socket, String.valueOf(e.getMessage()));
            }
        } catch (Throwable e) {
            Guard.failed("accepting connections", e);
        }
    }

    /** Accepts for one turn of the thread; returns whether there may be more. */
    private boolean acceptSome(ListeningSocket socket) throws IOException {
        int opened = 0;
        for (int i = 0; i < MOST_AT_ONCE && opened < AT_ONCE; i++) {
            StreamConnection accepted = socket.accept(open.loads());
            if (accepted == null) {
                return false;
            }
            long refusedBefore = open.refused();
            Guard.run("accepting a connection", () -> admit(accepted), () -> IoUtils.safeClose(accepted));
            if (open.refused() == refusedBefore) {
                opened++;
            } else if (!socket.isDirect()) {
                // descriptors may be short
                return true;
            }
        }
        return true;
    }

    private void admit(StreamConnection accepted) {
        ClientConnection client = open.admit(accepted, this);
        if (client == null) {
            IoUtils.safeClose(accepted);
            return;
        }
        Runnable opening = () -> Guard.run("opening a connection", () -> first.accept(client), client::fail);
        if (accepted.getIoThread() == Thread.currentThread()) {
            opening.run();
        } else {
            IoTasks.execute(accepted.getIoThread(), opening);
        }
    }

    /**
     * Stops accepting, and tells all connections that the endpoint is closing. Connections that the kernel has already
     * queued are accepted first, because closing the socket would reset them. This takes some milliseconds: don't call
     * it on an IO thread.
     */
    public void close(ListeningSocket socket) {
        if (!socket.isOpen()) {
            return;
        }
        try {
            // on an XNIO thread, which doesn't report that it's done
            socket.wakeUp();
            LockSupport.parkNanos(LAST_ACCEPT_NANOS);
        } finally {
            closed = true;
            IoUtils.safeClose(socket);
            open.leave(this);
        }
    }

    /** Closes an endpoint of a server that keeps running: cuts the connections that are left after the drain time. */
    public void close(ListeningSocket socket, Duration drainTime) {
        lease.end(System.nanoTime() + drainTime.toNanos());
        close(socket);
        IoTasks.executeAfter(socket.thread(), () -> open.cut(this), drainTime.toMillis() + AFTER_CUT_MILLIS);
    }

    /** The lease of the exchanges on its connections. */
    public Lease lease() {
        return lease;
    }

    boolean isClosed() {
        return closed;
    }

    /** Accepting failed, most likely for want of descriptors: retrying at once would only burn CPU. */
    private void pause(ListeningSocket socket, String why) {
        if (warning.isDue()) {
            LOG.warn(
                    "Can't accept connections on {} ({}): trying again each {} ms; raise the limit of open files if"
                            + " this stays",
                    socket.address(),
                    why,
                    PAUSE_MILLIS);
        }
        // what can fail comes first: else accepting would stop for good
        long pause = open.resetOldestLingering() ? SHORT_PAUSE_MILLIS : PAUSE_MILLIS;
        // on this thread, whose timers can't run before it has suspended: on another one accepting might go on too
        // early
        IoTasks.executeAfter(XnioIoThread.currentThread(), () -> goOn(socket), pause);
        socket.suspend();
    }

    private void goOn(ListeningSocket socket) {
        if (!closed) {
            socket.resume();
        }
    }
}
