package io.webproxy.undertow.tunnel;

import io.webproxy.undertow.deadline.DirectSockets;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.xnio.IoFuture;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.XnioExecutor;
import org.xnio.XnioIoThread;

/**
 * One attempt to connect to a host and port: the addresses of its name one after the other. It has no time limit: its
 * owner cancels it. Belongs to the IO thread of the connection.
 */
final class Dial {
    private static final OptionMap OPTIONS = OptionMap.builder()
            .set(Options.TCP_NODELAY, true)
            .set(Options.KEEP_ALIVE, true)
            .getMap();

    /** Hears the outcome, on the IO thread, once, and not after it was cancelled. */
    interface Callback {
        void connected(StreamConnection connection);

        void failed(String why);
    }

    /** How long to wait for an address before the next one is tried. */
    private static final long NEXT_MILLIS = 1_000;

    private final XnioIoThread thread;
    private final int port;
    private final Callback callback;
    private List<InetAddress> addresses = List.of();
    private int next;
    private @Nullable IoFuture<StreamConnection> pending;
    private XnioExecutor.@Nullable Key patience;
    private boolean done;

    private Dial(XnioIoThread thread, int port, Callback callback) {
        this.thread = thread;
        this.port = port;
        this.callback = callback;
    }

    /** Starts an attempt, on the thread. Within a machine it may have ended when this returns. */
    static Dial start(XnioIoThread thread, InetSocketAddress to, HostNames names, Callback callback) {
        Dial dial = new Dial(thread, to.getPort(), callback);
        InetAddress known = to.getAddress();
        if (known != null) {
            dial.found(List.of(known));
        } else {
            names.find(to.getHostString(), found -> dial.later(() -> dial.found(found)));
        }
        return dial;
    }

    private void later(Runnable step) {
        if (Thread.currentThread() == thread) {
            guarded(step);
        } else {
            IoTasks.execute(thread, () -> guarded(step));
        }
    }

    private void guarded(Runnable step) {
        Guard.run("dialling", step, () -> fail("an internal error"));
    }

    private void found(List<InetAddress> found) {
        if (!done) {
            addresses = found;
            dial("its name isn't found");
        }
    }

    private void dial(String otherwise) {
        if (next >= addresses.size()) {
            fail(otherwise);
            return;
        }
        InetAddress address = addresses.get(next++);
        if (next < addresses.size()) {
            patience = IoTasks.executeAfter(thread, () -> guarded(this::tryNext), NEXT_MILLIS);
        }
        InetSocketAddress to = new InetSocketAddress(address, port);
        IoFuture<StreamConnection> direct = DirectSockets.connect(thread, null, to);
        IoFuture<StreamConnection> future =
                direct == null ? thread.openStreamConnection(to, null, null, OPTIONS) : direct;
        pending = future;
        future.addNotifier((ended, attachment) -> later(() -> dialled(future)), null);
    }

    /** An address doesn't answer: its packets may be dropped. */
    private void tryNext() {
        IoFuture<StreamConnection> silent = pending;
        if (!done && silent != null) {
            dial("no address answers");
            silent.cancel();
        }
    }

    private void stopWaiting() {
        XnioExecutor.Key timer = patience;
        patience = null;
        if (timer != null) {
            timer.remove();
        }
    }

    private void dialled(IoFuture<StreamConnection> future) {
        if (future == pending) {
            stopWaiting();
        }
        if (future.getStatus() == IoFuture.Status.DONE) {
            StreamConnection connection;
            try {
                connection = future.get();
            } catch (IOException e) {
                fail(String.valueOf(e.getMessage()));
                return;
            }
            if (done) {
                IoUtils.safeClose(connection);
            } else {
                done = true;
                callback.connected(connection);
            }
        } else if (!done && future == pending && future.getStatus() == IoFuture.Status.FAILED) {
            dial(String.valueOf(future.getException().getMessage()));
        }
    }

    private void fail(String why) {
        if (!done) {
            done = true;
            callback.failed(why);
        }
    }

    /** Cancels it; false if it has already ended. */
    boolean cancel() {
        if (done) {
            return false;
        }
        done = true;
        stopWaiting();
        IoFuture<StreamConnection> future = pending;
        if (future != null) {
            future.cancel();
        }
        return true;
    }
}
