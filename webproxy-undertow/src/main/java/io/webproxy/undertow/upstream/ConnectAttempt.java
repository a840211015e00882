package io.webproxy.undertow.upstream;

import io.undertow.connector.ByteBufferPool;
import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.webproxy.observe.ForwardError;
import io.webproxy.undertow.deadline.DescriptorRoom;
import io.webproxy.undertow.deadline.DirectSockets;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.SocketReads;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import io.webproxy.undertow.tls.TlsFailure;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.UnsupportedAddressTypeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.xnio.IoFuture;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;

/**
 * One attempt to connect: tries the addresses one after the other, each 250 ms after the one before or as soon as that
 * has failed (RFC 8305 section 5); the first that answers wins. If all fail, or none answers for a second, it looks the
 * name up again, and tries new addresses too. Not thread-safe: it belongs to the sweeper's IO thread.
 */
final class ConnectAttempt extends Watched {
    private static final long STAGGER_NANOS = 250_000_000L;
    private static final long SILENCE_NANOS = 1_000_000_000L;
    /** How long a failure is held back while the name is looked up again. */
    private static final long LOOKUP_NANOS = 500_000_000L;

    private static final OptionMap OPTIONS = OptionMap.builder()
            .set(Options.TCP_NODELAY, true)
            .set(Options.KEEP_ALIVE, true)
            .getMap();

    private final Sweeper sweeper;
    private final Destination destination;
    private final ByteBuffer greeting;
    private final ByteBufferPool buffers;
    private final Spread spread;
    private final Names names;
    private final boolean direct;
    private final Connector.Callback callback;
    private final long limit;
    private final long deadline;

    private final List<Dial> pending = new ArrayList<>();
    private @Nullable UndertowXnioSsl tls;
    private List<InetAddress> addresses = List.of();
    private boolean resolved;
    private Again again = Again.NO;
    private int next;
    private long nextAt = Long.MAX_VALUE;
    private @Nullable UpstreamHandshake handshaking;
    private ConnectFailure failure = ConnectFailure.NO_ANSWER;
    private boolean done;

    /** Looks the destination's name up again; the result may come on any thread. */
    interface Names {
        void again(Consumer<List<InetAddress>> answer);
    }

    /** Whether the name was looked up again. */
    private enum Again {
        NO,
        UNDER_WAY,
        DONE
    }

    /** One address that is being tried. */
    private record Dial(InetAddress address, IoFuture<StreamConnection> future) {}

    /**
     * Makes an attempt.
     *
     * @param direct whether its sockets bypass XNIO to connect, if possible, and may call the callback before
     *     {@link #resolved} returns
     */
    ConnectAttempt(
            Sweeper sweeper,
            Destination destination,
            Duration limit,
            ByteBuffer greeting,
            ByteBufferPool buffers,
            Spread spread,
            Names names,
            boolean direct,
            Connector.Callback callback) {
        this.sweeper = sweeper;
        this.destination = destination;
        this.greeting = greeting;
        this.buffers = buffers;
        this.spread = spread;
        this.names = names;
        this.direct = direct;
        this.callback = callback;
        this.limit = limit.toMillis();
        this.deadline = limit.isZero() ? Long.MAX_VALUE : sweeper.now() + limit.toNanos();
    }

    void start() {
        sweeper.watch(this);
    }

    long now() {
        return sweeper.now();
    }

    /** Runs on the attempt's thread: at once if that is the caller's. */
    void later(Runnable task) {
        if (Thread.currentThread() == sweeper.thread()) {
            guarded(task);
        } else {
            IoTasks.execute(sweeper.thread(), () -> guarded(task));
        }
    }

    /**
     * Runs a step, from any thread; if it throws, the attempt ends: else its place in the pool and the request would be
     * lost.
     */
    void guarded(Runnable step) {
        Guard.run(
                "connecting to an upstream",
                step,
                () -> later(() -> fail(ForwardError.POOL_EXHAUSTED, "an internal error")));
    }

    /** The destination is unusable as configured. */
    void unusable(String why) {
        tlsFailed(why);
    }

    /** The addresses to try in this order, over TLS if {@code over} isn't null. */
    void resolved(List<InetAddress> found, @Nullable UndertowXnioSsl over) {
        if (done) {
            return;
        }
        tls = over;
        resolved = true;
        addresses = found;
        if (found.isEmpty()) {
            failure = ConnectFailure.notFound(destination);
            allFailed();
        } else {
            dial();
        }
    }

    /** All known addresses have failed. */
    private void allFailed() {
        if (again == Again.NO) {
            lookAgain();
        }
        if (again == Again.DONE) {
            if (!done && pending.isEmpty()) {
                fail(failure);
            }
        } else {
            nextAt = sweeper.now() + LOOKUP_NANOS;
        }
    }

    private void lookAgain() {
        again = Again.UNDER_WAY;
        nextAt = Long.MAX_VALUE;
        names.again(found -> later(() -> lookedAgain(found)));
    }

    private void lookedAgain(List<InetAddress> found) {
        again = Again.DONE;
        if (done || handshaking != null) {
            return;
        }
        nextAt = Long.MAX_VALUE;
        List<InetAddress> all = new ArrayList<>(addresses);
        for (InetAddress address : spread.next(found, now())) {
            if (!all.contains(address)) {
                all.add(address);
            }
        }
        addresses = all;
        if (next < addresses.size()) {
            dial();
        } else if (pending.isEmpty()) {
            fail(failure);
        }
    }

    private void dial() {
        InetAddress address = addresses.get(next++);
        if (next < addresses.size()) {
            nextAt = sweeper.now() + STAGGER_NANOS;
        } else {
            nextAt = again == Again.NO ? sweeper.now() + SILENCE_NANOS : Long.MAX_VALUE;
        }
        InetSocketAddress to = new InetSocketAddress(address, destination.port());
        IoFuture<StreamConnection> future =
                direct ? DirectSockets.connect(sweeper.thread(), destination.source(), to) : null;
        if (future == null) {
            future = connect(to);
        }
        Dial dial = new Dial(address, future);
        pending.add(dial);
        future.addNotifier((ended, attachment) -> later(() -> dialled(dial)), null);
    }

    private IoFuture<StreamConnection> connect(InetSocketAddress to) {
        InetAddress source = destination.source();
        XnioIoThread thread = sweeper.thread();
        try {
            return source == null
                    ? thread.openStreamConnection(to, null, null, OPTIONS)
                    : thread.openStreamConnection(new InetSocketAddress(source, 0), to, null, null, OPTIONS);
        } catch (UnsupportedAddressTypeException e) {
            return DirectSockets.unsupported(e);
        }
    }

    private void dialled(Dial dial) {
        IoFuture<StreamConnection> future = dial.future();
        int before = pending.indexOf(dial);
        pending.remove(dial);
        if (future.getStatus() == IoFuture.Status.DONE) {
            StreamConnection stream;
            try {
                stream = future.get();
            } catch (IOException e) {
                return;
            }
            spread.succeeded(dial.address());
            if (done || handshaking != null) {
                IoUtils.safeClose(stream);
            } else {
                // the addresses that were tried before it have had their time
                pending.subList(0, before).forEach(slow -> spread.failed(slow.address(), now()));
                opened(stream);
            }
        } else if (!done && handshaking == null && future.getStatus() == IoFuture.Status.FAILED) {
            IOException why = future.getException();
            if (DescriptorRoom.isShortage(why)) {
                // a shortage in this process: no other address would help
                fail(ForwardError.POOL_EXHAUSTED, String.valueOf(why.getMessage()));
                return;
            }
            spread.failed(dial.address(), now());
            failure = ConnectFailure.at(dial.address(), destination, why);
            if (next < addresses.size()) {
                dial();
            } else if (pending.isEmpty()) {
                allFailed();
            }
        }
    }

    private void opened(StreamConnection stream) {
        try {
            // a new socket has room for it
            if (greeting.hasRemaining() && stream.getSinkChannel().write(greeting.duplicate()) < greeting.remaining()) {
                throw new IOException("the socket has no room");
            }
        } catch (IOException e) {
            IoUtils.safeClose(stream);
            fail(ForwardError.UPSTREAM_CLOSED, destination + " takes no PROXY header: " + e.getMessage());
            return;
        }
        try {
            if (tls == null) {
                succeed(stream, SocketReads.of(stream));
                return;
            }
            UpstreamHandshake handshake = new UpstreamHandshake(this, tls, stream, destination, buffers);
            handshaking = handshake;
            handshake.start();
        } catch (Exception e) {
            // Throwable: native code may throw undeclared exceptions
            IoUtils.safeClose(stream);
            tlsFailed(TlsFailure.text(e));
        } finally {
            if (!done && handshaking == null) {
                // an Error: the guard logs it
                IoUtils.safeClose(stream);
            }
        }
    }

    /** TLS can't be set up, or has failed. */
    void tlsFailed(String why) {
        if (!done && handshaking != null && again == Again.NO) {
            // another host may have the address now: the next attempt finds out
            names.again(found -> {});
        }
        fail(ForwardError.CONNECT_TLS, "TLS to " + destination + " fails: " + why);
    }

    /** Connected, over TLS if wanted. */
    void succeed(StreamConnection stream, SocketReads reads) {
        if (done) {
            return;
        }
        stream.getSourceChannel().setReadListener(null);
        stream.getSourceChannel().setCloseListener(null);
        if (!stream.isOpen()) {
            fail(ForwardError.UPSTREAM_CLOSED, destination + " closed the connection at once");
            return;
        }
        finish();
        callback.connected(stream, reads);
    }

    /** Whether the outcome was reported, or isn't wanted any more. */
    boolean isDone() {
        return done;
    }

    private void fail(ConnectFailure why) {
        fail(why.error(), why.detail());
    }

    private void fail(ForwardError what, String why) {
        if (done) {
            return;
        }
        try {
            finish();
        } finally {
            IoUtils.safeClose(handshaking);
            callback.failed(what, why);
        }
    }

    /** The connection isn't wanted any more. */
    void cancel() {
        if (!done) {
            finish();
            IoUtils.safeClose(handshaking);
        }
    }

    private void finish() {
        done = true;
        sweeper.forget(this);
        List.copyOf(pending).forEach(dial -> dial.future().cancel());
    }

    @Override
    protected long deadline() {
        return handshaking == null ? Math.min(deadline, nextAt) : deadline;
    }

    @Override
    protected void expired(long now) {
        if (deadline != Long.MAX_VALUE && sweeper.now() - deadline >= 0) {
            if (resolved && pending.isEmpty() && handshaking == null) {
                // all have failed, and the new look-up isn't done yet
                fail(failure);
                return;
            }
            pending.forEach(silent -> spread.failed(silent.address(), now));
            fail(resolved ? ConnectFailure.late(destination, limit) : ConnectFailure.lateName(destination, limit));
        } else {
            guarded(this::goOn);
        }
    }

    /** The time for the next step has come. */
    private void goOn() {
        if (next < addresses.size()) {
            dial();
        } else if (pending.isEmpty()) {
            // the look-up takes too long
            fail(failure);
        } else if (again == Again.NO) {
            lookAgain();
        }
    }

    @Override
    protected void cut() {
        // not the destination's fault
        fail(ForwardError.POOL_EXHAUSTED, "the server is closing");
    }
}
