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

/** Accepts connections and hands each to what its endpoint does, on the connection's IO thread. */
public final class Acceptor {
    private static final Logger LOG = LoggerFactory.getLogger(Acceptor.class);
    private static final long PAUSE_MILLIS = 250;
    /** Until a connection that gives way is closed. */
    private static final long SHORT_PAUSE_MILLIS = 10;

    /** So many are accepted between two looks for a spare descriptor. */
    private static final int AT_ONCE = 32;

    /** For exchanges that are cut, before their connections are. */
    private static final long AFTER_CUT_MILLIS = 250;

    private static final long LAST_ACCEPT_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private final OpenConnections open;
    private final Consumer<Arrival> first;
    private final Lease lease = new Lease();
    private volatile boolean closed;
    private final OncePerMinute warning = new OncePerMinute();

    /** An acceptor that hands connections to {@code first}. */
    public Acceptor(OpenConnections open, Consumer<Arrival> first) {
        this.open = open;
        this.first = first;
    }

    /** Binds an address; nothing is accepted there before its accepts are resumed. */
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
        // an accept that finds no descriptor makes XNIO rest for longer each time, up to half a minute
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
        Arrival arrival = open.admit(accepted, this);
        if (arrival == null) {
            IoUtils.safeClose(accepted);
        } else {
            IoTasks.execute(
                    accepted.getIoThread(),
                    () -> Guard.run("opening a connection", () -> first.accept(arrival), arrival::fail));
        }
    }

    /**
     * Accepts no more, and tells everybody that the endpoint goes away. Those whom the kernel has connected already are
     * accepted first, because the close of the socket resets them. It takes some milliseconds: not for an IO thread.
     */
    @SuppressWarnings("deprecation") // as all of XNIO's wake-ups are, for users
    public void close(AcceptingChannel<StreamConnection> server) {
        if (!server.isOpen()) {
            return;
        }
        try {
            // on a thread of XNIO's own that says nothing when it has done so
            server.wakeupAccepts();
            LockSupport.parkNanos(LAST_ACCEPT_NANOS);
        } finally {
            closed = true;
            IoUtils.safeClose(server);
            open.leave(this);
        }
    }

    /** The same while the server stays: what is left when the drain time is over is cut. */
    public void close(AcceptingChannel<StreamConnection> server, Duration drainTime) {
        lease.end(System.nanoTime() + drainTime.toNanos());
        close(server);
        IoTasks.executeAfter(server.getIoThread(), () -> open.cut(this), drainTime.toMillis() + AFTER_CUT_MILLIS);
    }

    /** How long the exchanges may go on that come through its connections. */
    public Lease lease() {
        return lease;
    }

    boolean isClosed() {
        return closed;
    }

    /** Out of descriptors, most likely: accepting again at once would only burn the processor. */
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
