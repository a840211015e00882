package io.webproxy.corpus;

import io.webproxy.corpus.CorpusCase.ReplyEnd;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Two upstreams, the usual one and the one behind the protected route, on one thread: they write down every byte and
 * answer what the case says.
 *
 * <p>Nothing is answered before all that has arrived, on any connection, has been read: who gets an answer knows that
 * whatever was sent before its request has been written down. {@code /marker} is always answered alike.
 */
public final class CorpusUpstream implements AutoCloseable {
    public static final String MARKER = "/marker";
    /** What {@code /marker} is answered. */
    public static final String MARKER_BODY = "clean";

    private static final byte[] MARKER_REPLY = ("HTTP/1.1 200 OK\r\nContent-Length: " + MARKER_BODY.length()
                    + "\r\n\r\n" + MARKER_BODY)
            .getBytes(StandardCharsets.US_ASCII);

    private final Selector selector = Selector.open();
    private final ServerSocketChannel usual = listen();
    private final ServerSocketChannel guarded = listen();
    private final ByteBuffer received = ByteBuffer.allocateDirect(64 * 1024);
    private final Set<Connection> open = new LinkedHashSet<>();
    private final List<Connection> toAnswer = new ArrayList<>();
    private final List<SeenRequest> seen = new ArrayList<>();
    private final Thread thread = new Thread(this::run, "corpus-upstream");
    private byte[] reply = new byte[0];
    private ReplyEnd replyEnd = ReplyEnd.KEEP;
    private int connections;
    private volatile boolean closing;

    private CorpusUpstream() throws IOException {}

    public static CorpusUpstream start() throws IOException {
        CorpusUpstream upstream = new CorpusUpstream();
        upstream.thread.start();
        return upstream;
    }

    private ServerSocketChannel listen() throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open();
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 128);
        server.configureBlocking(false);
        server.register(selector, SelectionKey.OP_ACCEPT);
        return server;
    }

    /** {@code http://127.0.0.1:port} of the usual upstream. */
    public String uri() {
        return "http://127.0.0.1:" + usual.socket().getLocalPort();
    }

    /** The same of the one that the protected route leads to. */
    public String guardedUri() {
        return "http://127.0.0.1:" + guarded.socket().getLocalPort();
    }

    /** Forgets what was seen, and answers from now on by this. */
    public synchronized void script(byte[] bytes, ReplyEnd end) {
        reply = bytes;
        replyEnd = end;
        seen.clear();
    }

    /** The requests since {@link #script} in the order of their first bytes; what is no whole head too. */
    public synchronized List<SeenRequest> seen() {
        List<SeenRequest> all = new ArrayList<>(seen);
        for (Connection connection : open) {
            SeenRequest partial = connection.reader.partial();
            if (partial != null) {
                all.add(partial);
            }
        }
        return all;
    }

    /** Waits, for at most 30 s, until the connection of a request has ended; says whether it has. */
    public synchronized boolean awaitClosed(SeenRequest request) throws InterruptedException {
        long end = System.nanoTime() + 30_000_000_000L;
        while (!request.closed) {
            long millis = (end - System.nanoTime()) / 1_000_000;
            if (millis <= 0) {
                return false;
            }
            wait(millis);
        }
        return true;
    }

    /** Whether a request has come to its end. */
    public synchronized boolean isComplete(SeenRequest request) {
        return request.complete;
    }

    private void run() {
        try (selector;
                usual;
                guarded) {
            while (!closing) {
                selector.select();
                do {
                    ready();
                } while (selector.selectNow() > 0);
                answer();
            }
            for (Connection connection : new ArrayList<>(open)) {
                connection.channel.close();
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private synchronized void ready() throws IOException {
        for (SelectionKey key : selector.selectedKeys()) {
            if (!key.isValid()) {
                continue;
            }
            if (key.attachment() instanceof Connection connection) {
                if (key.isReadable()) {
                    connection.read();
                }
                if (key.isValid() && key.isWritable()) {
                    connection.write();
                }
            } else {
                accept((ServerSocketChannel) key.channel());
            }
        }
        selector.selectedKeys().clear();
    }

    private void accept(ServerSocketChannel server) throws IOException {
        SocketChannel channel = server.accept();
        if (channel != null) {
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            Connection connection = new Connection(channel, server == guarded, ++connections);
            connection.key = channel.register(selector, SelectionKey.OP_READ, connection);
            open.add(connection);
        }
    }

    private synchronized void answer() throws IOException {
        List<Connection> now = new ArrayList<>(toAnswer);
        toAnswer.clear();
        for (Connection connection : now) {
            connection.answer();
        }
    }

    @Override
    public void close() throws IOException {
        closing = true;
        selector.wakeup();
        try {
            thread.join(30_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** One connection; under the lock. */
    private final class Connection {
        private final SocketChannel channel;
        private final RequestReader reader;
        private final List<SeenRequest> mine = new ArrayList<>();
        private final List<SeenRequest> waiting = new ArrayList<>();
        private @Nullable SelectionKey key;
        private ByteBuffer out = ByteBuffer.allocate(0);
        private ReplyEnd outEnd = ReplyEnd.KEEP;

        Connection(SocketChannel channel, boolean guarded, int number) {
            this.channel = channel;
            this.reader = new RequestReader(
                    guarded,
                    number,
                    request -> {
                        seen.add(request);
                        mine.add(request);
                    },
                    request -> {
                        waiting.add(request);
                        toAnswer.add(this);
                    });
        }

        void read() throws IOException {
            while (true) {
                received.clear();
                int count;
                try {
                    count = channel.read(received);
                } catch (IOException e) {
                    count = -1;
                }
                if (count < 0) {
                    ended();
                    return;
                }
                if (count == 0) {
                    return;
                }
                received.flip();
                while (received.hasRemaining()) {
                    reader.feed(received.get());
                }
            }
        }

        private void ended() throws IOException {
            SeenRequest partial = reader.partial();
            if (partial != null) {
                seen.add(partial);
                mine.add(partial);
            }
            channel.close();
            open.remove(this);
            mine.forEach(request -> request.closed = true);
            CorpusUpstream.this.notifyAll();
        }

        void answer() throws IOException {
            if (!channel.isOpen() || waiting.isEmpty() || out.hasRemaining()) {
                return;
            }
            SeenRequest request = waiting.remove(0);
            boolean marker = request.line().equals("GET " + MARKER + " HTTP/1.1");
            out = ByteBuffer.wrap(marker ? MARKER_REPLY : reply);
            outEnd = marker ? ReplyEnd.KEEP : replyEnd;
            write();
        }

        void write() throws IOException {
            try {
                channel.write(out);
            } catch (IOException e) {
                ended();
                return;
            }
            if (key != null) {
                key.interestOps(
                        out.hasRemaining() ? SelectionKey.OP_READ | SelectionKey.OP_WRITE : SelectionKey.OP_READ);
            }
            if (out.hasRemaining()) {
                return;
            }
            if (outEnd == ReplyEnd.KEEP) {
                if (!waiting.isEmpty()) {
                    answer();
                }
            } else {
                if (outEnd == ReplyEnd.RESET) {
                    channel.setOption(StandardSocketOptions.SO_LINGER, 0);
                }
                ended();
            }
        }
    }
}
