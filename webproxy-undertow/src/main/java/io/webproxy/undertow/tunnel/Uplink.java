package io.webproxy.undertow.tunnel;

import io.webproxy.tunnel.Announcement;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.StreamConnection;
import org.xnio.XnioExecutor;
import org.xnio.XnioIoThread;

/** The private side's way to one public server: dialled, announced to, and dialled again when it is lost. Belongs to one IO thread, except where it says so. */
public final class Uplink {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tunnel");
    private static final long DIAL_MILLIS = 4_000;
    private static final long SHORTEST_MILLIS = 250;
    private static final long LONGEST_MILLIS = 3_000;

    private final InetSocketAddress server;
    private final PrivateSide side;
    private final XnioIoThread thread;
    private @Nullable Dial dial;
    private XnioExecutor.@Nullable Key limit;
    private @Nullable UplinkChannel channel;
    private int failures;
    private boolean closed;
    private volatile State state;

    /**
     * How it is with a public server.
     *
     * @param server host and port as they were given
     * @param connected whether everything that was announced is decided
     * @param attempts how many attempts have ended without a connection, since the last one that has succeeded
     * @param refused what isn't accepted, and why
     * @param failure why there is no connection; empty if there is one, or none was tried yet
     */
    public record State(
            String server, boolean connected, int attempts, Map<String, String> refused, String failure) {
        /** Makes the map immutable. */
        public State {
            refused = Map.copyOf(refused);
        }
    }

    Uplink(InetSocketAddress server, PrivateSide side, XnioIoThread thread) {
        this.server = server;
        this.side = side;
        this.thread = thread;
        this.state = new State(text(), false, 0, Map.of(), "");
    }

    private String text() {
        String host = server.getHostString();
        return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + server.getPort();
    }

    /** From any thread. */
    State state() {
        return state;
    }

    void start() {
        later(this::dial);
    }

    private void later(Runnable step) {
        IoTasks.execute(thread, () -> guarded(step));
    }

    private void guarded(Runnable step) {
        Guard.run("dialling a public server", step, () -> lost("an internal error"));
    }

    private void dial() {
        if (closed) {
            return;
        }
        limit = IoTasks.executeAfter(thread, () -> guarded(this::tooLate), DIAL_MILLIS);
        dial = Dial.start(thread, server, side.names(), new Dial.Callback() {
            @Override
            public void connected(StreamConnection connection) {
                guarded(() -> opened(connection));
            }

            @Override
            public void failed(String why) {
                guarded(() -> lost(why));
            }
        });
    }

    private void tooLate() {
        Dial pending = dial;
        if (pending != null) {
            pending.cancel();
            lost("it accepts no connection within " + DIAL_MILLIS + " ms");
        }
    }

    private void opened(StreamConnection connection) {
        dialEnded();
        channel = new UplinkChannel(
                side.tls().dial(connection, server.getHostString(), server.getPort()),
                connection.getPeerAddress(InetSocketAddress.class),
                this,
                side,
                side.sweeper(thread));
        channel.start(true);
    }

    private void dialEnded() {
        dial = null;
        XnioExecutor.Key timer = limit;
        if (timer != null) {
            timer.remove();
            limit = null;
        }
    }

    /** The server has decided about everything. */
    void decided(String agent, Map<Announcement, String> refused) {
        failures = 0;
        Map<String, String> texts = new LinkedHashMap<>();
        refused.forEach((announcement, why) -> {
            texts.put(announcement.what(), why);
            LOG.warn("{} doesn't accept {}: {}", text(), announcement.what(), why);
        });
        state = new State(text(), true, 0, texts, "");
        LOG.info("Connected to {} as {}", text(), agent);
    }

    /** There is no connection, or no more. */
    void lost(String why) {
        dialEnded();
        channel = null;
        if (closed) {
            return;
        }
        String before = state.failure();
        boolean known = before.equals(why);
        if (state.connected()) {
            LOG.info("The connection to {} is lost: {}", text(), why);
        } else if (!known) {
            LOG.warn("{} can't be connected to, trying again: {}", text(), why);
        }
        long longest = Math.min(LONGEST_MILLIS, SHORTEST_MILLIS << Math.min(failures, 8));
        failures++;
        state = new State(text(), false, failures, state.refused(), why);
        long shortest = Math.max(SHORTEST_MILLIS, longest / 2);
        long rest = shortest == longest ? shortest : ThreadLocalRandom.current().nextLong(shortest, longest + 1);
        IoTasks.executeAfter(thread, () -> guarded(this::dial), rest);
    }

    /** For good; from any thread. */
    void close() {
        later(() -> {
            closed = true;
            Dial pending = dial;
            if (pending != null) {
                pending.cancel();
            }
            dialEnded();
            UplinkChannel open = channel;
            if (open != null) {
                open.end(0, "the agent is closing");
            }
        });
    }
}
