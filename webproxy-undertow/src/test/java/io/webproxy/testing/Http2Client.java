package io.webproxy.testing;

import io.undertow.protocols.http2.HpackDecoder;
import io.undertow.protocols.http2.HpackException;
import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** An HTTP/2 client in frames (RFC 9113 section 4), which sends what no well-behaved one would. Field blocks are literals without indexing. */
public final class Http2Client implements AutoCloseable {
    private static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    public static final int DATA = 0;
    public static final int HEADERS = 1;
    public static final int RST_STREAM = 3;
    public static final int SETTINGS = 4;
    public static final int GOAWAY = 7;
    public static final int WINDOW_UPDATE = 8;
    public static final int END_STREAM = 1;
    public static final int END_HEADERS = 4;

    private final RawConnection connection;
    private final HpackDecoder decoder = new HpackDecoder();

    /** A frame. */
    public record Frame(int type, int flags, int stream, byte[] payload) {}

    private Http2Client(RawConnection connection) {
        this.connection = connection;
    }

    public static Http2Client open(TestProxy proxy) throws IOException {
        RawConnection raw =
                RawConnection.openTls(proxy.port(), TestProxy.trust().sslSocketFactory(), "h2");
        if (!"h2".equals(raw.applicationProtocol())) {
            throw new IOException("h2 was not negotiated");
        }
        Http2Client client = new Http2Client(raw);
        raw.send(PREFACE.getBytes(StandardCharsets.US_ASCII));
        client.send(SETTINGS, 0, 0, new byte[0]);
        return client;
    }

    /** Sends a request without a body; {@code fields} are names and values in turn. */
    public void request(int stream, String method, String path, String authority, String... fields) throws IOException {
        send(HEADERS, END_STREAM | END_HEADERS, stream, block(method, path, authority, fields));
    }

    /** Sends a request head whose body is to follow. */
    public void open(int stream, String method, String path, String authority, String... fields) throws IOException {
        send(HEADERS, END_HEADERS, stream, block(method, path, authority, fields));
    }

    private static byte[] block(String method, String path, String authority, String... fields) {
        ByteBuffer block = ByteBuffer.allocate(16_000);
        literal(block, ":method", method);
        literal(block, ":scheme", "https");
        literal(block, ":path", path);
        literal(block, ":authority", authority);
        for (int i = 0; i < fields.length; i += 2) {
            literal(block, fields[i], fields[i + 1]);
        }
        byte[] bytes = new byte[block.flip().remaining()];
        block.get(bytes);
        return bytes;
    }

    private static void literal(ByteBuffer block, String name, String value) {
        block.put((byte) 0);
        string(block, name);
        string(block, value);
    }

    private static void string(ByteBuffer block, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        if (bytes.length > 126) {
            throw new IllegalArgumentException("too long for one length byte");
        }
        block.put((byte) bytes.length).put(bytes);
    }

    public void send(int type, int flags, int stream, byte[] payload) throws IOException {
        ByteBuffer frame = ByteBuffer.allocate(9 + payload.length);
        frame.put((byte) (payload.length >> 16))
                .put((byte) (payload.length >> 8))
                .put((byte) payload.length);
        frame.put((byte) type).put((byte) flags).putInt(stream).put(payload);
        connection.send(frame.array());
    }

    /** The next frame; null at the end of the connection. */
    public Frame read() throws IOException {
        byte[] head = connection.read(9).getBytes(StandardCharsets.ISO_8859_1);
        if (head.length < 9) {
            throw new IOException("the connection ended");
        }
        ByteBuffer bytes = ByteBuffer.wrap(head);
        int length = (bytes.get() & 0xff) << 16 | (bytes.get() & 0xff) << 8 | bytes.get() & 0xff;
        int type = bytes.get();
        int flags = bytes.get();
        int stream = bytes.getInt() & 0x7fffffff;
        return new Frame(type, flags, stream, connection.read(length).getBytes(StandardCharsets.ISO_8859_1));
    }

    /** The next frame of a stream, or a GOAWAY. */
    public Frame read(int stream) throws IOException {
        Frame frame = read();
        while (frame.stream() != stream && frame.type() != GOAWAY) {
            frame = read();
        }
        return frame;
    }

    /** How a stream is answered: the status, {@code reset}, or {@code goaway}. Only statuses of the static table and literals are read. */
    public String answer(int stream) throws IOException {
        while (true) {
            Frame frame;
            try {
                frame = read(stream);
            } catch (IOException e) {
                return "closed";
            }
            if (frame.type() == RST_STREAM) {
                return "reset";
            }
            if (frame.type() == GOAWAY) {
                return "goaway";
            }
            if (frame.type() == HEADERS) {
                return status(frame.payload(), decoder);
            }
        }
    }

    private static String status(byte[] block, HpackDecoder decoder) throws IOException {
        try {
            HeaderMap fields = new HeaderMap();
            decoder.setHeaderEmitter((name, value, neverIndex) -> fields.add(name, value));
            decoder.decode(ByteBuffer.wrap(block), false);
            String status = fields.getFirst(new HttpString(":status"));
            return status == null ? "none" : status;
        } catch (HpackException e) {
            throw new IOException(e);
        }
    }

    /** Closes with a reset. */
    public void reset() throws IOException {
        connection.reset();
    }

    @Override
    public void close() throws IOException {
        connection.close();
    }
}
