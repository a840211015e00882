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
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * An upstream for measurements: one thread serves HTTP/1.1 in clear on 127.0.0.1, and the query of each request says what
 * its answer is.
 *
 * <pre>
 * silent                   no answer, ever
 * status=206               the status, 200 by default
 * type=text/plain          the Content-Type
 * disposition=attachment   the Content-Disposition, none by default
 * pieces=3                 how many pieces the body has, 1 by default
 * size=1024                bytes of a piece, 16 by default; an event stream has events in their place, {@code data: NUMBER NANOS}
 * after=500                milliseconds from the head to the first piece, 0 by default
 * every=1000               milliseconds from a piece to the next, 1000 by default
 * length                   the head has a Content-Length in place of chunks
 * stall                    silence after the last piece in place of the end
 * id=7                     prints {@code ended 7 NANOS} when the connection ends before the answer does
 * </pre>
 *
 * <p>A WebSocket handshake is answered by 101 unless the query says {@code silent}, and each message is echoed. NANOS are those of
 * {@link System#nanoTime}, which all processes of a Linux machine have in common. Prints {@code ready URI}.
 */
final class Upstream {
    private static final byte[] BLOCK = "0123456789abcde\n".repeat(64).getBytes(StandardCharsets.US_ASCII);

    private final Selector selector = Selector.open();
    private final PriorityQueue<Timed> timers = new PriorityQueue<>((a, b) -> Long.compare(a.at - b.at, 0));
    private final ByteBuffer received = ByteBuffer.allocateDirect(64 * 1024);

    private Upstream() throws IOException {}

    public static void main(String[] args) throws IOException {
        Upstream upstream = new Upstream();
        upstream.listen();
        upstream.run();
    }

    private void listen() throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open();
        server.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 4096);
        server.configureBlocking(false);
        server.register(selector, SelectionKey.OP_ACCEPT);
        System.out.println("ready http://127.0.0.1:" + server.socket().getLocalPort() + "/");
    }

    private void run() throws IOException {
        while (true) {
            long now = System.nanoTime();
            while (!timers.isEmpty() && timers.peek().at - now <= 0) {
                timers.poll().action.run();
            }
            // Rounded up, because 0 would wait without limit and a fraction of a millisecond would be lost.
            long wait =
                    timers.isEmpty() ? 0 : Math.max(1, (timers.peek().at - System.nanoTime() + 999_999) / 1_000_000);
            selector.select(this::ready, wait);
        }
    }

    private void ready(SelectionKey key) {
        if (key.attachment() instanceof Connection connection) {
            connection.ready();
            return;
        }
        try {
            SocketChannel channel = ((ServerSocketChannel) key.channel()).accept();
            if (channel != null) {
                channel.configureBlocking(false);
                channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
                new Connection(channel);
            }
        } catch (IOException e) {
            System.err.println("accept: " + e);
        }
    }

    /** Something to do at a moment. */
    private record Timed(long at, Runnable action) {}

    /** One connection: its requests are answered one after the other. */
    private final class Connection {
        private final SocketChannel channel;
        private final SelectionKey key;
        private ByteBuffer unread = ByteBuffer.allocate(0);
        private ByteBuffer unsent = ByteBuffer.allocate(0);
        private Answer answer;
        private boolean webSocket;

        Connection(SocketChannel channel) throws IOException {
            this.channel = channel;
            this.key = channel.register(selector, SelectionKey.OP_READ, this);
        }

        void ready() {
            try {
                if (key.isValid() && key.isWritable()) {
                    send();
                }
                if (key.isValid() && key.isReadable()) {
                    receive();
                }
            } catch (IOException e) {
                close();
            }
        }

        private void receive() throws IOException {
            received.clear();
            if (channel.read(received) < 0) {
                close();
                return;
            }
            received.flip();
            unread = joined(unread, received);
            while (channel.isOpen() && answer == null && (webSocket ? echo() : request())) {
                // the next one
            }
        }

        /** Answers one request; false when its head is not complete. */
        private boolean request() throws IOException {
            String text = new String(unread.array(), 0, unread.limit(), StandardCharsets.ISO_8859_1);
            int end = text.indexOf("\r\n\r\n");
            if (end < 0) {
                return false;
            }
            unread = joined(unread.position(end + 4), ByteBuffer.allocate(0));
            String[] lines = text.substring(0, end).split("\r\n");
            Map<String, String> fields = new HashMap<>();
            for (int i = 1; i < lines.length; i++) {
                int colon = lines[i].indexOf(':');
                fields.put(
                        lines[i].substring(0, colon).toLowerCase(Locale.ROOT),
                        lines[i].substring(colon + 1).strip());
            }
            Map<String, String> query = query(lines[0].split(" ")[1]);
            answer = new Answer(this, query);
            if (query.containsKey("silent")) {
                return false;
            }
            if ("websocket".equalsIgnoreCase(fields.get("upgrade"))) {
                answer = null;
                webSocket = true;
                write(("HTTP/1.1 101 Switching Protocols\r\n"
                                + "Upgrade: websocket\r\n"
                                + "Connection: Upgrade\r\n"
                                + "Sec-WebSocket-Accept: "
                                + accept(fields.get("sec-websocket-key")) + "\r\n\r\n")
                        .getBytes(StandardCharsets.ISO_8859_1));
            } else {
                answer.start();
            }
            return true;
        }

        /** Echoes one frame (RFC 6455 section 5.2); false when it is not complete. */
        private boolean echo() throws IOException {
            ByteBuffer frame = unread.duplicate();
            if (frame.remaining() < 2) {
                return false;
            }
            int first = frame.get() & 0xff;
            int length = frame.get() & 0x7f;
            if (frame.remaining() < (length == 126 ? 2 : 0) + 4) {
                return false;
            }
            if (length == 127) {
                throw new IOException("a frame above 64 KiB");
            }
            length = length == 126 ? frame.getShort() & 0xffff : length;
            byte[] mask = new byte[4];
            frame.get(mask);
            if (frame.remaining() < length) {
                return false;
            }
            byte[] payload = new byte[length];
            frame.get(payload);
            for (int i = 0; i < length; i++) {
                payload[i] ^= mask[i & 3];
            }
            unread = joined(unread.position(frame.position()), ByteBuffer.allocate(0));
            boolean ping = (first & 0xf) == 9;
            ByteBuffer echo = ByteBuffer.allocate(4 + length).put((byte) (ping ? 0x8a : first));
            if (length < 126) {
                echo.put((byte) length);
            } else {
                echo.put((byte) 126).putShort((short) length);
            }
            echo.put(payload).flip();
            write(joined(echo, ByteBuffer.allocate(0)).array());
            if ((first & 0xf) == 8) {
                close();
            }
            return true;
        }

        void write(byte[] bytes) throws IOException {
            unsent = joined(unsent, ByteBuffer.wrap(bytes));
            send();
        }

        private void send() throws IOException {
            channel.write(unsent);
            key.interestOps(
                    unsent.hasRemaining() ? SelectionKey.OP_READ | SelectionKey.OP_WRITE : SelectionKey.OP_READ);
        }

        void answered() throws IOException {
            answer = null;
            while (channel.isOpen() && answer == null && request()) {
                // what came in the meantime
            }
        }

        void close() {
            if (answer != null && answer.id != null) {
                System.out.println("ended " + answer.id + " " + System.nanoTime());
            }
            answer = null;
            try {
                channel.close();
            } catch (IOException e) {
                System.err.println("close: " + e);
            }
        }
    }

    /** The answer to one request, piece by piece. */
    private final class Answer {
        final String id;
        private final Connection connection;
        private final Map<String, String> query;
        private final int pieces;
        private final int size;
        private final long every;
        private final String type;
        private long firstAt;
        private int sent;

        Answer(Connection connection, Map<String, String> query) {
            this.connection = connection;
            this.query = query;
            this.id = query.get("id");
            this.pieces = Integer.parseInt(query.getOrDefault("pieces", "1"));
            this.size = Integer.parseInt(query.getOrDefault("size", "16"));
            this.every = Long.parseLong(query.getOrDefault("every", "1000"));
            this.type = query.getOrDefault("type", "text/plain");
        }

        void start() throws IOException {
            StringBuilder head = new StringBuilder("HTTP/1.1 ");
            head.append(query.getOrDefault("status", "200"))
                    .append(" Because\r\nContent-Type: ")
                    .append(type)
                    .append("\r\n");
            if (query.containsKey("disposition")) {
                head.append("Content-Disposition: ")
                        .append(query.get("disposition"))
                        .append("\r\n");
            }
            long length = (long) pieces * size;
            if ("206".equals(query.get("status"))) {
                head.append("Content-Range: bytes 0-").append(length - 1).append("/*\r\n");
            }
            head.append(query.containsKey("length") ? "Content-Length: " + length : "Transfer-Encoding: chunked");
            connection.write(head.append("\r\n\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
            firstAt = System.nanoTime() + Long.parseLong(query.getOrDefault("after", "0")) * 1_000_000;
            timers.add(new Timed(firstAt, this::next));
        }

        private void next() {
            if (!connection.channel.isOpen()) {
                return;
            }
            try {
                connection.write(piece());
                sent++;
                if (sent < pieces) {
                    timers.add(new Timed(firstAt + sent * every * 1_000_000, this::next));
                } else if (!query.containsKey("stall")) {
                    if (!query.containsKey("length")) {
                        connection.write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                    }
                    connection.answered();
                }
            } catch (IOException e) {
                connection.close();
            }
        }

        private byte[] piece() {
            ByteBuffer bytes;
            if (type.equals("text/event-stream")) {
                String event = "data: " + (sent + 1) + " " + System.nanoTime() + "\n\n";
                bytes = ByteBuffer.wrap(event.getBytes(StandardCharsets.US_ASCII));
            } else {
                bytes = ByteBuffer.allocate(size);
                while (bytes.hasRemaining()) {
                    bytes.put(BLOCK, 0, Math.min(BLOCK.length, bytes.remaining()));
                }
                bytes.flip();
            }
            if (query.containsKey("length")) {
                return bytes.array();
            }
            ByteBuffer chunk = joined(
                    ByteBuffer.wrap(
                            (Integer.toHexString(bytes.remaining()) + "\r\n").getBytes(StandardCharsets.US_ASCII)),
                    bytes);
            return joined(chunk, ByteBuffer.wrap(new byte[] {'\r', '\n'})).array();
        }
    }

    /** What is left of both, in an array of just that size. */
    private static ByteBuffer joined(ByteBuffer first, ByteBuffer second) {
        return ByteBuffer.allocate(first.remaining() + second.remaining())
                .put(first)
                .put(second)
                .flip();
    }

    private static Map<String, String> query(String target) {
        Map<String, String> query = new HashMap<>();
        int mark = target.indexOf('?');
        if (mark >= 0) {
            for (String pair : target.substring(mark + 1).split("&")) {
                int equals = pair.indexOf('=');
                query.put(equals < 0 ? pair : pair.substring(0, equals), equals < 0 ? "" : pair.substring(equals + 1));
            }
        }
        return query;
    }

    /** RFC 6455 section 4.2.2. */
    private static String accept(String key) throws IOException {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-1")
                    .digest((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").getBytes(StandardCharsets.US_ASCII));
            return Base64.getEncoder().encodeToString(hash);
        } catch (GeneralSecurityException e) {
            throw new IOException(e);
        }
    }
}
