package io.webproxy.undertow.endpoint;

import io.webproxy.undertow.deadline.DirectSockets;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.xnio.ChannelListener;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;
import org.xnio.channels.AcceptingChannel;

/**
 * A listening socket whose connections are accepted by the IO threads themselves. Thread-safe.
 *
 * <p>XNIO (3.8.16) accepts on a thread of its own, which stops an IO thread to register each connection there, and is
 * woken up whenever one is closed: most of the cost of a short connection. It doesn't check for a free descriptor,
 * rests for up to half a minute when there is none, and doesn't report that. None of this is part of XNIO's API: where
 * it can't be reached, XNIO accepts. No canary: it would have to take all descriptors of the tests' process.
 */
public final class ListeningSocket implements Closeable {
    /** More threads would all be woken up by a connection that only one of them gets. */
    private static final int MOST_WATCHING = 4;

    private static final long FORGET_SECONDS = 1;

    private final AcceptingChannel<StreamConnection> server;
    private final @Nullable Direct direct;

    /**
     * What is needed to accept.
     *
     * @param taken whether a thread is accepting right now
     */
    private record Direct(ServerSocketChannel socket, DirectSockets sockets, AtomicBoolean taken) {}

    private ListeningSocket(AcceptingChannel<StreamConnection> server, @Nullable Direct direct) {
        this.server = server;
        this.direct = direct;
    }

    /** Binds an address; nothing is accepted before {@link #resume}. */
    static ListeningSocket bind(XnioWorker worker, InetSocketAddress address, OptionMap options) throws IOException {
        DirectSockets sockets = DirectSockets.of(worker.getIoThread());
        return sockets == null
                ? new ListeningSocket(worker.createStreamConnectionServer(address, null, options), null)
                : bind(worker, address, options, sockets);
    }

    private static ListeningSocket bind(
            XnioWorker worker, InetSocketAddress address, OptionMap options, DirectSockets sockets) throws IOException {
        ServerSocketChannel socket = ServerSocketChannel.open();
        boolean bound = false;
        try {
            socket.configureBlocking(false);
            socket.socket().setReuseAddress(options.get(Options.REUSE_ADDRESSES, true));
            socket.socket().bind(address, options.get(Options.BACKLOG, 0));
            OptionMap.Builder watched = OptionMap.builder().addAll(options);
            if (worker.getIoThreadCount() > MOST_WATCHING) {
                watched.set(Options.BALANCING_TOKENS, MOST_WATCHING);
            }
            ListeningSocket listening = new ListeningSocket(
                    sockets.server(socket, worker, watched.getMap()), new Direct(socket, sockets, new AtomicBoolean()));
            bound = true;
            return listening;
        } finally {
            if (!bound) {
                IoUtils.safeClose(socket);
            }
        }
    }

    /** Where it listens. */
    public InetSocketAddress address() {
        return server.getLocalAddress(InetSocketAddress.class);
    }

    /** Starts to accept, or goes on. */
    public void resume() {
        server.resumeAccepts();
    }

    /** Accepts nothing until it is resumed. */
    void suspend() {
        server.suspendAccepts();
    }

    /** Lets an IO thread look for connections at once. */
    @SuppressWarnings("deprecation") // as all of XNIO's wake-ups are, for users
    void wakeUp() {
        server.wakeupAccepts();
    }

    boolean isOpen() {
        return server.isOpen();
    }

    /** One of the IO threads. */
    XnioIoThread thread() {
        return server.getIoThread();
    }

    /**
     * Whether the IO threads themselves accept: then {@link #accept} fails if there is no descriptor, and the listener
     * is called again while connections are left.
     */
    boolean isDirect() {
        return direct != null;
    }

    /** Sets the listener for connections to accept; it is called on the threads that {@link #accept} is for. */
    @SuppressWarnings("unchecked")
    void onReady(Runnable listener) {
        ((ChannelListener.Setter<AcceptingChannel<StreamConnection>>) server.getAcceptSetter())
                .set(ready -> listener.run());
    }

    /**
     * Accepts the next connection, for an IO thread; null if there is none, or if another thread is just taking it.
     *
     * @param loads chooses the thread, unless XNIO does
     */
    @Nullable StreamConnection accept(ThreadLoads loads) throws IOException {
        if (direct == null) {
            return server.accept();
        }
        SocketChannel accepted = next(direct);
        if (accepted == null) {
            return null;
        }
        boolean taken = false;
        try {
            accepted.configureBlocking(false);
            accepted.setOption(StandardSocketOptions.TCP_NODELAY, true);
            accepted.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
            StreamConnection connection =
                    direct.sockets().connection(accepted, loads.threadFor(XnioIoThread.currentThread()));
            taken = true;
            return connection;
        } finally {
            if (!taken) {
                IoUtils.safeClose(accepted);
            }
        }
    }

    /** Two threads that accept at the same time would wait for each other. */
    private static @Nullable SocketChannel next(Direct direct) throws IOException {
        if (!direct.taken().compareAndSet(false, true)) {
            return null;
        }
        try {
            return direct.socket().accept();
        } finally {
            direct.taken().set(false);
        }
    }

    /** Closes it; the address is free when this returns, unless an IO thread is held up. Not for an IO thread. */
    @Override
    public void close() {
        if (direct == null) {
            IoUtils.safeClose(server);
        } else if (isOpen()) {
            boolean forgotten = isForgotten(direct);
            IoUtils.safeClose(direct.socket());
            if (forgotten) {
                // this waits for the threads again, without a limit
                IoUtils.safeClose(server);
            }
        }
    }

    /** The kernel closes the socket only once no thread watches it any more: returns whether none does. */
    private boolean isForgotten(Direct watched) {
        XnioWorker worker = server.getWorker();
        int count = worker.getIoThreadCount();
        CountDownLatch watching = new CountDownLatch(count);
        int told = 0;
        for (int i = 0; i < count; i++) {
            XnioIoThread thread = worker.getIoThread(i);
            if (thread.isAlive() && execute(thread, watched, watching)) {
                told++;
            } else {
                watching.countDown();
            }
        }
        try {
            return watching.await(FORGET_SECONDS, TimeUnit.SECONDS) && told == count;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Returns false for a thread that is ending, which closes what it watches. */
    private static boolean execute(XnioIoThread thread, Direct watched, CountDownLatch watching) {
        try {
            thread.execute(() -> {
                watched.sockets().forget(watched.socket(), thread);
                watching.countDown();
            });
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }
}
