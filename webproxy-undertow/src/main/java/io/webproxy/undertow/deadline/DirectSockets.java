package io.webproxy.undertow.deadline;

import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnsupportedAddressTypeException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.Cancellable;
import org.xnio.FailedIoFuture;
import org.xnio.FinishedIoFuture;
import org.xnio.FutureResult;
import org.xnio.IoFuture;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;
import org.xnio.channels.AcceptingChannel;

/**
 * Makes XNIO connections from sockets that XNIO has neither accepted nor connected. None of this is part of XNIO's API:
 * where it isn't accessible, XNIO does everything itself. Thread-safe.
 *
 * <p>XNIO (3.8.16) waits for the selector on each connect, even if the kernel connects at once. Canary:
 * {@code XnioDefectsTest.connectThatIsDoneIsWaitedFor}.
 */
public final class DirectSockets {
    private static final Logger LOG = LoggerFactory.getLogger(DirectSockets.class);

    private static volatile @Nullable Known known;

    private final Field selector;
    private final Constructor<?> connection;
    private final Constructor<?> pending;
    private final Constructor<?> server;

    /** What was found for one class of IO threads: null if XNIO's parts aren't accessible. */
    private record Known(Class<?> threads, @Nullable DirectSockets sockets) {}

    private DirectSockets(Class<?> threads) throws ReflectiveOperationException {
        selector = threads.getDeclaredField("selector");
        selector.setAccessible(true);
        connection = constructor(threads, "org.xnio.nio.NioSocketStreamConnection", 3, threads, SelectionKey.class);
        pending = constructor(threads, threads.getName() + "$ConnectHandle", 5, threads, SelectionKey.class);
        server = constructor(threads, "org.xnio.nio.NioTcpServer", 4, XnioWorker.class, ServerSocketChannel.class);
    }

    /** For a class of IO threads; null where XNIO's parts aren't accessible. */
    public static @Nullable DirectSockets of(XnioIoThread thread) {
        Known found = known;
        if (found == null || found.threads != thread.getClass()) {
            found = find(thread.getClass());
            known = found;
        }
        return found.sockets;
    }

    private static Known find(Class<?> threads) {
        try {
            return new Known(threads, new DirectSockets(threads));
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOG.debug("IO threads can't be given sockets: {}", e.toString());
            return new Known(threads, null);
        }
    }

    /** The constructor with so many parameters, the first two of these classes or their subclasses. */
    private static Constructor<?> constructor(
            Class<?> threads, String name, int parameters, Class<?> first, Class<?> second)
            throws ReflectiveOperationException {
        for (Constructor<?> each :
                Class.forName(name, false, threads.getClassLoader()).getDeclaredConstructors()) {
            Class<?>[] types = each.getParameterTypes();
            if (types.length == parameters && first.isAssignableFrom(types[0]) && types[1] == second) {
                each.setAccessible(true);
                return each;
            }
        }
        throw new NoSuchMethodException(name);
    }

    /**
     * Makes the connection of a connected, non-blocking socket on an IO thread. Call it on any thread; if it throws,
     * the caller closes the socket.
     */
    public StreamConnection connection(SocketChannel socket, XnioIoThread thread) throws IOException {
        return connection(key(socket, thread), thread);
    }

    /**
     * Makes the server of a bound, non-blocking socket. It calls its accept listener on each IO thread, or with
     * balancing tokens on so many of them. If this throws, the caller closes the socket.
     */
    @SuppressWarnings("unchecked")
    public AcceptingChannel<StreamConnection> server(ServerSocketChannel socket, XnioWorker worker, OptionMap options)
            throws IOException {
        try {
            return (AcceptingChannel<StreamConnection>) server.newInstance(worker, socket, options, false);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof IOException failure) {
                throw failure;
            }
            throw new IOException("a socket can't be given to the IO threads", e);
        } catch (ReflectiveOperationException e) {
            throw new IOException("a socket can't be given to the IO threads", e);
        }
    }

    /** An IO thread no longer watches a listening socket; called on that thread. */
    public void forget(ServerSocketChannel socket, XnioIoThread thread) {
        try {
            Selector watching = (Selector) selector.get(thread);
            SelectionKey key = socket.keyFor(watching);
            if (key != null) {
                key.cancel();
                watching.selectNow();
            }
        } catch (ReflectiveOperationException | IOException | ClosedSelectorException e) {
            LOG.debug("An IO thread goes on watching a socket: {}", e.toString());
        }
    }

    /**
     * Connects a socket, as XNIO does with TCP keep-alive and without Nagle's delay. The future is already done if the
     * kernel connects at once, as it does within a machine: XNIO would wait for the selector. Call it on the IO thread.
     *
     * @param source the local address; null for the system's choice
     * @return null where XNIO's parts aren't accessible
     */
    public static @Nullable IoFuture<StreamConnection> connect(
            XnioIoThread thread, @Nullable InetAddress source, InetSocketAddress to) {
        DirectSockets sockets = of(thread);
        if (sockets == null) {
            return null;
        }
        try {
            return sockets.opened(thread, source, to);
        } catch (IOException e) {
            return new FailedIoFuture<>(e);
        } catch (UnsupportedAddressTypeException e) {
            return unsupported(e);
        }
    }

    /** The result of connecting to an address of a family that this JVM lacks. */
    public static IoFuture<StreamConnection> unsupported(UnsupportedAddressTypeException why) {
        return new FailedIoFuture<>(new IOException("this JVM has no IPv6", why));
    }

    private IoFuture<StreamConnection> opened(XnioIoThread thread, @Nullable InetAddress source, InetSocketAddress to)
            throws IOException {
        SocketChannel socket = open(source, to);
        boolean taken = false;
        try {
            socket.configureBlocking(false);
            socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
            socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
            if (source != null) {
                socket.bind(new InetSocketAddress(source, 0));
            }
            boolean connected = socket.connect(to) || socket.finishConnect();
            SelectionKey key = key(socket, thread);
            StreamConnection stream = connection(key, thread);
            IoFuture<StreamConnection> future =
                    connected ? new FinishedIoFuture<>(stream) : pending(thread, key, stream);
            taken = true;
            return future;
        } finally {
            if (!taken) {
                IoUtils.safeClose(socket);
            }
        }
    }

    /** An IPv4-only socket where that suffices: others must first be set to both families. */
    private static SocketChannel open(@Nullable InetAddress source, InetSocketAddress to) throws IOException {
        return to.getAddress() instanceof Inet4Address && (source == null || source instanceof Inet4Address)
                ? SocketChannel.open(StandardProtocolFamily.INET)
                : SocketChannel.open();
    }

    /** Waits for the selector as XNIO does. */
    private IoFuture<StreamConnection> pending(XnioIoThread thread, SelectionKey key, StreamConnection stream)
            throws IOException {
        FutureResult<StreamConnection> result = new FutureResult<>(thread);
        try {
            key.attach(pending.newInstance(thread, key, result, stream, null));
        } catch (ReflectiveOperationException e) {
            throw new IOException("a connection can't be given to an IO thread", e);
        }
        result.addCancelHandler(new Cancellable() {
            @Override
            public Cancellable cancel() {
                if (result.setCancelled()) {
                    IoUtils.safeClose(stream);
                }
                return this;
            }
        });
        key.interestOps(SelectionKey.OP_CONNECT);
        return result.getIoFuture();
    }

    private SelectionKey key(SocketChannel socket, XnioIoThread thread) throws IOException {
        try {
            return socket.register((Selector) selector.get(thread), 0);
        } catch (ReflectiveOperationException | ClosedSelectorException e) {
            throw new IOException("a connection can't be given to an IO thread", e);
        }
    }

    private StreamConnection connection(SelectionKey key, XnioIoThread thread) throws IOException {
        try {
            return (StreamConnection) connection.newInstance(thread, key, null);
        } catch (ReflectiveOperationException e) {
            throw new IOException("a connection can't be given to an IO thread", e);
        }
    }
}
