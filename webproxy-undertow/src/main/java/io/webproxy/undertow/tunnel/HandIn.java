package io.webproxy.undertow.tunnel;

import io.webproxy.spi.RelayData;
import io.webproxy.tunnel.Announcement;
import io.webproxy.undertow.deadline.DescriptorRoom;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import io.webproxy.undertow.observe.Recorder;
import io.webproxy.undertow.relay.BridgedRelay;
import io.webproxy.undertow.relay.ByteRelay;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;

/**
 * The private side's data connection, for a visitor or as a ready one. It dials the public server and the inner target
 * at the same time; when both are connected it acknowledges, and becomes a relay. Not thread-safe, except where noted:
 * it belongs to its IO thread.
 */
final class HandIn extends Watched {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tunnel");
    private static final long DATA_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long TARGET_NANOS = TimeUnit.SECONDS.toNanos(8);
    /**
     * How long the public server may take to close a refused connection; then this side closes it, and the reason may
     * be lost.
     */
    private static final long REFUSED_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final byte[] ACKNOWLEDGEMENT = {DataHello.ACKNOWLEDGED};

    private final long id;
    private final byte[] token;
    private final UplinkChannel channel;
    private final PrivateSide side;
    private final Sweeper sweeper;
    private final long start = System.nanoTime();
    private final Instant begun = Instant.now();
    private Message.@Nullable Visitor visitor;
    private @Nullable Announcement announcement;
    private @Nullable Dial dataDial;
    private @Nullable Dial targetDial;
    private @Nullable StreamConnection data;
    private @Nullable StreamConnection target;
    private @Nullable BridgedRelay relay;
    private @Nullable InetSocketAddress source;
    private volatile boolean bound;
    private boolean done;
    private long deadline;

    /** For a visitor, or a ready connection without one. */
    HandIn(
            long id,
            byte[] token,
            Message.@Nullable Visitor visitor,
            UplinkChannel channel,
            PrivateSide side,
            XnioIoThread thread) {
        this.id = id;
        this.token = token;
        this.visitor = visitor;
        this.bound = visitor != null;
        this.channel = channel;
        this.side = side;
        this.sweeper = side.sweeper(thread);
        this.deadline = sweeper.now() + DATA_NANOS;
    }

    long id() {
        return id;
    }

    /** Whether a visitor waits for it. From any thread. */
    boolean isBound() {
        return bound;
    }

    XnioIoThread thread() {
        return sweeper.thread();
    }

    void start() {
        guarded(() -> {
            sweeper.watch(this);
            dataDial = dial(channel.peer(), this::opened, why -> fail("the data connection can't be opened", why));
            if (visitor != null && !done) {
                reach(visitor);
            }
        });
    }

    private void guarded(Runnable step) {
        Guard.run("a hand-over", step, () -> fail("an internal error", ""));
    }

    private interface Opened {
        void with(StreamConnection connection) throws IOException;
    }

    private interface Failed {
        void because(String why);
    }

    private @Nullable Dial dial(InetSocketAddress address, Opened opened, Failed failed) {
        DescriptorRoom room = side.environment().room();
        if (!room.takeUpstream(false)) {
            failed.because("too many open files");
            return null;
        }
        return Dial.start(thread(), address, side.names(), new Dial.Callback() {
            @Override
            public void connected(StreamConnection connection) {
                room.settleUpstream(false);
                connection.setCloseListener(closed -> room.giveUpstream(false));
                guarded(() -> {
                    try {
                        opened.with(connection);
                    } catch (IOException e) {
                        IoUtils.safeClose(connection);
                        failed.because(String.valueOf(e.getMessage()));
                    }
                });
            }

            @Override
            public void failed(String why) {
                room.settleUpstream(false);
                room.giveUpstream(false);
                guarded(() -> failed.because(why));
            }
        });
    }

    private void opened(StreamConnection connection) throws IOException {
        dataDial = null;
        data = connection;
        write(connection, DataHello.of(id, Tokens.proof(token, id, side.fingerprint(), side.instance())));
        if (visitor == null) {
            deadline = Long.MAX_VALUE;
            connection.getSourceChannel().setReadListener(ready -> guarded(this::heard));
            connection.getSourceChannel().resumeReads();
        } else {
            connectedBoth();
        }
    }

    /** A new socket always has room for a few bytes. */
    private static void write(StreamConnection connection, ByteBuffer bytes) throws IOException {
        if (connection.getSinkChannel().write(bytes) == 0 || bytes.hasRemaining()) {
            throw new IOException("the socket has no room");
        }
    }

    /**
     * The server sends nothing before a ready connection is used, nor after a refusal: most likely it has closed it.
     */
    private void heard() {
        StreamConnection connection = data;
        if (connection == null || relay != null) {
            return;
        }
        if (done) {
            sweeper.forget(this);
            IoUtils.safeClose(connection);
            return;
        }
        try {
            int read = connection.getSourceChannel().read(ByteBuffer.allocate(1));
            if (read != 0) {
                drop(read < 0 ? "the public server has closed it" : "the public server speaks too early");
            }
        } catch (IOException e) {
            drop(String.valueOf(e.getMessage()));
        }
    }

    /** Gives a ready connection its visitor; from any thread. */
    void use(Message.Visitor given) {
        bound = true;
        Runnable step = () -> guarded(() -> {
            if (!done && visitor == null) {
                visitor = given;
                reach(given);
            }
        });
        if (Thread.currentThread() == thread()) {
            step.run();
        } else {
            IoTasks.execute(thread(), step);
        }
    }

    private void reach(Message.Visitor who) {
        PrivateSide.Target found = side.target(who.item());
        if (found == null) {
            fail("it isn't announced here", "");
            return;
        }
        announcement = found.announcement();
        deadline = sweeper.now() + TARGET_NANOS;
        InetSocketAddress address = found.address();
        if (address == null) {
            connectedBoth();
        } else {
            targetDial = dial(address, this::reached, why -> fail("its target can't be reached", why));
        }
    }

    private void reached(StreamConnection connection) throws IOException {
        targetDial = null;
        target = connection;
        source = connection.getLocalAddress(InetSocketAddress.class);
        Announcement what = announcement;
        Message.Visitor who = visitor;
        if (what != null && who != null && what.proxyProtocol().isPresent()) {
            write(
                    connection,
                    side.environment().headers().proxied(what.proxyProtocol().get(), who.client(), who.local()));
        }
        connectedBoth();
    }

    private void connectedBoth() {
        StreamConnection outer = data;
        StreamConnection inner = target;
        Announcement what = announcement;
        Message.Visitor who = visitor;
        if (done
                || outer == null
                || what == null
                || who == null
                || (inner == null && what.target().isPresent())) {
            return;
        }
        outer.getSourceChannel().suspendReads();
        outer.getSourceChannel().setReadListener(null);
        try {
            write(outer, ByteBuffer.wrap(ACKNOWLEDGEMENT));
        } catch (IOException e) {
            fail("the data connection is broken", String.valueOf(e.getMessage()));
            return;
        }
        finish();
        if (inner == null) {
            side.environment().https().take(outer, who.client());
        } else {
            BridgedRelay started = new BridgedRelay(
                    outer,
                    inner,
                    side.environment().buffers(),
                    side.live().bulkBuffers(),
                    how -> ended(who, what, how));
            relay = started;
            side.live().opened(this, started::abort);
            started.start(null, null);
        }
    }

    private void ended(Message.Visitor who, Announcement what, ByteRelay.Ending how) {
        side.live().ended(this);
        BridgedRelay over = relay;
        Recorder recorder = side.environment().recorder();
        if (over != null && recorder.isRelayWanted()) {
            recorder.relayEnded(new RelayData(
                    begun,
                    who.client(),
                    "tunnel",
                    Optional.of(what.what()),
                    Optional.ofNullable(source),
                    what.target().map(address -> address.getHostString() + ":" + address.getPort()),
                    over.toRight(),
                    over.toLeft(),
                    Duration.ofNanos(System.nanoTime() - start),
                    RelayEnds.of(how),
                    ""));
        }
    }

    private void finish() {
        done = true;
        sweeper.forget(this);
        channel.settled(this);
    }

    private void fail(String why, String detail) {
        if (done) {
            return;
        }
        channel.refuse(id, why);
        StreamConnection connection = channel.isClosed() ? null : data;
        drop(detail.isEmpty() ? why : why + ": " + detail, connection);
        if (connection != null) {
            leaveToServer(connection);
        }
        Message.Visitor who = visitor;
        if (who != null && side.isWarningDue()) {
            Announcement what = announcement;
            LOG.warn(
                    "{} isn't served by {}, which is logged at most once a minute: {}",
                    who.item(),
                    what == null ? "this agent" : what,
                    detail.isEmpty() ? why : detail);
        }
    }

    /**
     * The public server closes it once it knows the reason. If this side closed it, the close could arrive first, and
     * hide the reason.
     */
    private void leaveToServer(StreamConnection connection) {
        deadline = sweeper.now() + REFUSED_NANOS;
        sweeper.watch(this);
        connection.getSourceChannel().setReadListener(ready -> guarded(this::heard));
        connection.getSourceChannel().resumeReads();
    }

    private void drop(String why) {
        drop(why, null);
    }

    private void drop(String why, @Nullable StreamConnection kept) {
        if (done) {
            return;
        }
        LOG.debug("Connection {} ends before its relay: {}", id, why);
        finish();
        Dial outer = dataDial;
        Dial inner = targetDial;
        cancel(outer);
        cancel(inner);
        if (data != kept) {
            IoUtils.safeClose(data);
        }
        IoUtils.safeClose(target);
    }

    private void cancel(@Nullable Dial dial) {
        if (dial != null && dial.cancel()) {
            DescriptorRoom room = side.environment().room();
            room.settleUpstream(false);
            room.giveUpstream(false);
        }
    }

    /** It isn't needed any more, unless it has become a relay; from any thread. */
    void drop() {
        IoTasks.execute(thread(), () -> guarded(() -> drop("it isn't wanted any more")));
    }

    @Override
    protected long deadline() {
        return deadline;
    }

    @Override
    protected void expired(long now) {
        if (done) {
            heard();
            return;
        }
        fail(data == null ? "the data connection can't be opened in time" : "its target can't be reached in time", "");
    }

    @Override
    protected void cut() {
        if (done) {
            heard();
            return;
        }
        drop("the server is closing");
    }
}
