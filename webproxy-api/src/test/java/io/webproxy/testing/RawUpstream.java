package io.webproxy.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An upstream that does byte for byte what its script says: one call of the script for each connection, on a thread of
 * its own.
 */
public final class RawUpstream implements AutoCloseable {
    /** What happens on a connection; the connection is closed when it returns. */
    public interface Script {
        void run(RawConnection connection) throws Exception;
    }

    private final ServerSocket server;
    private final Script script;
    private final ExecutorService executor = Executors.newCachedThreadPool(task -> new Thread(task, "raw-upstream"));
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private boolean closed;
    private final AtomicInteger connections = new AtomicInteger();
    private final List<Throwable> failures = new CopyOnWriteArrayList<>();

    private RawUpstream(ServerSocket server, Script script) {
        this.server = server;
        this.script = script;
        executor.execute(this::accept);
    }

    /** An upstream on a free port of the loopback address. */
    public static RawUpstream start(Script script) throws IOException {
        return start(new ServerSocket(0, 100, InetAddress.getLoopbackAddress()), script);
    }

    /** An upstream on a socket that listens, which it closes. */
    public static RawUpstream start(ServerSocket server, Script script) {
        return new RawUpstream(server, script);
    }

    /** An upstream that answers every request, on kept-alive connections, with the same bytes. */
    public static RawUpstream answering(String response) throws IOException {
        return start(connection -> {
            while (!connection.readHead().isEmpty()) {
                connection.send(response);
            }
        });
    }

    /** A target of relays: says its name and a line end, then all that it gets, and {@code end} when that ends. */
    public static RawUpstream echoing(String name) throws IOException {
        return start(connection -> {
            connection.send(name + "¶");
            byte[] some = new byte[4096];
            for (int count = connection.read(some, some.length);
                    count >= 0;
                    count = connection.read(some, some.length)) {
                connection.send(Arrays.copyOf(some, count));
            }
            connection.send("end");
        });
    }

    /** The same, but not before a latch is open; it waits for 30 s at most. */
    public static RawUpstream answeringAfter(CountDownLatch latch, String response) throws IOException {
        return start(connection -> {
            while (!connection.readHead().isEmpty()) {
                latch.await(30, TimeUnit.SECONDS);
                connection.send(response);
            }
        });
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                connections.incrementAndGet();
                accepted(socket);
            } catch (IOException e) {
                return;
            }
        }
    }

    /** What was accepted just before the end is closed too. */
    private synchronized void accepted(Socket socket) throws IOException {
        if (closed) {
            socket.close();
        } else {
            open.add(socket);
            executor.execute(() -> serve(socket));
        }
    }

    private synchronized void closeAll() throws IOException {
        closed = true;
        for (Socket socket : open) {
            socket.close();
        }
        executor.shutdownNow();
    }

    private void serve(Socket socket) {
        try (socket) {
            script.run(new RawConnection(socket));
        } catch (IOException e) {
            // the other side may go whenever it likes
        } catch (Exception | AssertionError e) {
            failures.add(e);
        } finally {
            open.remove(socket);
        }
    }

    /** {@code http://127.0.0.1:port}. */
    public String uri() {
        return "http://127.0.0.1:" + port();
    }

    /** {@code 127.0.0.1:port}. */
    public String address() {
        return "127.0.0.1:" + port();
    }

    public int port() {
        return server.getLocalPort();
    }

    /** How many connections were accepted so far. */
    public int connections() {
        return connections.get();
    }

    /** What went wrong in the script, I/O aside. */
    public List<Throwable> failures() {
        return failures;
    }

    @Override
    public void close() throws IOException {
        server.close();
        closeAll();
        try {
            if (!executor.awaitTermination(30, TimeUnit.SECONDS)) {
                throw new IOException("the upstream's script doesn't end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
