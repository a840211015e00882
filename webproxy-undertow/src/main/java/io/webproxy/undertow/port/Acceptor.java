package io.webproxy.undertow.port;

import io.webproxy.undertow.deadline.IoTasks;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.ChannelListener;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.channels.AcceptingChannel;

/** Accepts connections and hands each to what its endpoint does, on the connection's IO thread. */
public final class Acceptor implements ChannelListener<AcceptingChannel<StreamConnection>> {
    private static final Logger LOG = LoggerFactory.getLogger(Acceptor.class);
    private static final long PAUSE_MILLIS = 500;
    private static final long WARN_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final OpenConnections open;
    private final Consumer<StreamConnection> first;

    /** Belongs to the thread that accepts. */
    private long warnedAt = System.nanoTime() - WARN_NANOS;

    /** An acceptor that hands connections to {@code first}. */
    public Acceptor(OpenConnections open, Consumer<StreamConnection> first) {
        this.open = open;
        this.first = first;
    }

    @Override
    public void handleEvent(AcceptingChannel<StreamConnection> server) {
        try {
            for (StreamConnection accepted = server.accept(); accepted != null; accepted = server.accept()) {
                StreamConnection connection = accepted;
                if (open.admit(connection)) {
                    IoTasks.execute(connection.getIoThread(), () -> first.accept(connection));
                } else {
                    IoUtils.safeClose(connection);
                }
            }
        } catch (IOException e) {
            if (server.isOpen()) {
                pause(server, e);
            }
        }
    }

    /** Out of descriptors, most likely: accepting again at once would only burn the processor. */
    private void pause(AcceptingChannel<StreamConnection> server, IOException why) {
        long now = System.nanoTime();
        if (now - warnedAt >= WARN_NANOS) {
            warnedAt = now;
            LOG.warn(
                    "Can't accept connections on {} ({}): trying again each {} ms; raise the limit of open files if this stays",
                    server.getLocalAddress(),
                    why.getMessage(),
                    PAUSE_MILLIS);
        }
        server.suspendAccepts();
        server.getIoThread().executeAfter(server::resumeAccepts, PAUSE_MILLIS, TimeUnit.MILLISECONDS);
    }
}
