package io.webproxy.undertow.tunnel;

import io.webproxy.observe.ProxyObserver;
import io.webproxy.observe.TunnelEvent;
import io.webproxy.spi.TunnelEventData;
import io.webproxy.spi.TunnelServerData;
import io.webproxy.tunnel.Announcement;
import io.webproxy.tunnel.TunnelStatus;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.StreamConnection;
import org.xnio.XnioExecutor;
import org.xnio.XnioIoThread;

/**
 * The private side's connection to one public server: dials it, announces there, and dials again when the connection is
 * lost. Belongs to one IO thread, except where noted.
 */
final class Uplink {
    /** The reason that channels give when they end. */
    static final String CLOSING = "the agent is closing";

    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tunnel");
    private static final long DIAL_MILLIS = 4_000;

    private final InetSocketAddress server;
    private final PrivateSide side;
    private final XnioIoThread thread;
    private @Nullable Dial dial;
    private XnioExecutor.@Nullable Key limit;
    private @Nullable UplinkChannel channel;
    private int failures;
    private boolean closed;
    private volatile TunnelStatus.Server status;

    Uplink(InetSocketAddress server, PrivateSide side, XnioIoThread thread) {
        this.server = server;
        this.side = side;
        this.thread = thread;
        this.status = new TunnelServerData(text(), false, 0, List.of(), Map.of(), Optional.empty());
    }

    private String text() {
        String host = server.getHostString();
        return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + server.getPort();
    }

    /** From any thread. */
    TunnelStatus.Server status() {
        return status;
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

    /** The server has decided about all offers. */
    void decided(String agent, Map<Announcement, String> refused) {
        failures = 0;
        Map<String, String> texts = new LinkedHashMap<>();
        refused.forEach((announcement, why) -> {
            texts.put(announcement.what(), why);
            LOG.warn("{} doesn't accept {}: {}", text(), announcement.what(), why);
        });
        List<String> accepted = side.tunnel().announcements().stream()
                .map(Announcement::what)
                .filter(what -> !texts.containsKey(what))
                .toList();
        status = new TunnelServerData(text(), true, 0, accepted, texts, Optional.empty());
        LOG.info("Connected to {} as {}", text(), agent);
        tell(ProxyObserver::tunnelServerConnected, String.join("; ", texts.values()));
    }

    private void tell(BiConsumer<ProxyObserver, TunnelEvent> method, String detail) {
        TunnelEvent event = new TunnelEventData(text(), "", detail);
        side.environment().recorder().tell(observer -> method.accept(observer, event));
    }

    /** There is no connection now. */
    private void lost(String why) {
        ended(Farewell.NONE, why);
    }

    /** A connection has failed or ended. */
    void ended(Farewell farewell, String why) {
        dialEnded();
        channel = null;
        boolean connected = status.connected();
        if (connected && farewell == Farewell.NONE) {
            LOG.info("The connection to {} is lost: {}", text(), why);
            tell(ProxyObserver::tunnelServerLost, why);
        } else if (connected) {
            LOG.info("Disconnected from {}: {}", text(), why);
            tell(ProxyObserver::tunnelServerDisconnected, why);
        } else if (!closed && !status.failure().equals(Optional.of(why))) {
            LOG.warn(
                    "{} can't be connected to and is tried again: {}{}",
                    text(),
                    why,
                    why.equals(FailureText.KEY_REFUSED)
                            ? " (expected: the line of this key, as agent-key prints it, in the agents file there)"
                            : "");
        }
        if (closed) {
            side.live().ended(this);
            status = new TunnelServerData(text(), false, 0, List.of(), Map.of(), Optional.of(why));
            return;
        }
        long rest = BackOff.millis(failures, ThreadLocalRandom.current());
        if (!connected) {
            failures++;
        }
        status = new TunnelServerData(text(), false, failures, List.of(), status.refused(), Optional.of(why));
        IoTasks.executeAfter(thread, () -> guarded(this::dial), rest);
    }

    /**
     * Closes for good, after the clients are connected that the server asked for; from any thread.
     *
     * @param back whether another one takes its place
     */
    void close(boolean back) {
        Message.Goodbye why = back
                ? new Message.Goodbye(Message.Goodbye.BACK_SOON, "the agent has another tunnel now")
                : new Message.Goodbye(0, CLOSING);
        // the drain of the server may wait for it
        side.live().opened(this, () -> later(() -> endChannel(why)));
        later(() -> {
            closed = true;
            Dial pending = dial;
            if (pending != null) {
                pending.cancel();
            }
            dialEnded();
            UplinkChannel open = channel;
            if (open == null) {
                side.live().ended(this);
            } else {
                open.leave(why);
            }
        });
    }

    private void endChannel(Message.Goodbye why) {
        UplinkChannel open = channel;
        if (open == null) {
            side.live().ended(this);
        } else {
            open.end(why.code(), why.text());
        }
    }
}
