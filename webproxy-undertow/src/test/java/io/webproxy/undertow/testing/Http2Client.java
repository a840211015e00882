package io.webproxy.undertow.testing;

import io.undertow.protocols.http2.HpackDecoder;
import io.undertow.protocols.http2.HpackException;
import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import io.webproxy.testing.RawConnection;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * An HTTP/2 peer in frames (RFC 9113 section 4), mostly a client, which sends what no well-behaved one would. Field
 * blocks are literals without indexing.
 */
public final class Http2Client implements AutoCloseable {
    private static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    public static final int DATA = 0;
    public static final int HEADERS = 1;
    public static final int PRIORITY = 2;
    public static final int RST_STREAM = 3;
    public static final int SETTINGS = 4;
    public static final int PING = 6;
    public static final int GOAWAY = 7;
    public static final int WINDOW_UPDATE = 8;
    public static final int CONTINUATION = 9;
    public static final int END_STREAM = 1;
    public static final int ACK = 1;
    public static final int END_HEADERS = 4;
    public static final int PADDED = 8;

    private final RawConnection connection;
    private final HpackDecoder decoder = new HpackDecoder();

    /** A frame. */
    public record Frame(int type, int flags, int stream, byte[] payload) {
        /** The error code of an RST_STREAM or a GOAWAY frame. */
        public int code() {
            return ByteBuffer.wrap(payload).getInt(type == GOAWAY ? 4 : 0);
        }

        /** The last stream that a GOAWAY frame lets the client count on. */
        public int lastStream() {
            return ByteBuffer.wrap(payload).getInt();
        }
    }

    private Http2Client(RawConnection connection) {
        this.connection = connection;
    }

    /** A connection whose preface and settings are sent. */
    public static Http2Client open(TestProxy proxy) throws IOException {
        return start(silent(proxy));
    }

    /** Sends preface and settings on a connection that has negotiated h2. */
    public static Http2Client open(RawConnection raw) throws IOException {
        return start(new Http2Client(raw));
    }

    private static Http2Client start(Http2Client client) throws IOException {
        client.connection.send(PREFACE.getBytes(StandardCharsets.US_ASCII));
        client.send(SETTINGS, 0, 0, new byte[0]);
        return client;
    }

    /** The server's end of a connection, for a script: the client's preface is read, and nothing sent. */
    public static Http2Client accept(RawConnection raw) throws IOException {
        String preface = raw.read(PREFACE.length());
        if (!preface.equals(PREFACE)) {
            throw new IOException("no preface: " + preface);
        }
        return new Http2Client(raw);
    }

    /** The same, and settings are sent, pairs of an identifier and a value. */
    public static Http2Client serve(RawConnection raw, int... settings) throws IOException {
        Http2Client peer = accept(raw);
        ByteBuffer payload = ByteBuffer.allocate(settings.length / 2 * 6);
        for (int i = 0; i < settings.length; i += 2) {
            payload.putShort((short) settings[i]).putInt(settings[i + 1]);
        }
        peer.send(SETTINGS, 0, 0, payload.array());
        return peer;
    }

    /**
     * A connection that has negotiated h2, or is to speak it by prior knowledge in cleartext, and has sent nothing yet.
     */
    public static Http2Client silent(TestProxy proxy) throws IOException {
        if (!proxy.front().isTls()) {
            return new Http2Client(RawConnection.open(proxy.port()));
        }
        RawConnection raw = proxy.tls("h2");
        if (!"h2".equals(raw.applicationProtocol())) {
            throw new IOException("h2 was not negotiated");
        }
        return new Http2Client(raw);
    }

    /** Sends a request without a body; {@code fields} are names and values in turn. */
    public void request(int stream, String method, String path, String authority, String... fields) throws IOException {
        send(HEADERS, END_STREAM | END_HEADERS, stream, block(method, path, authority, fields));
    }

    /** Sends a response head; {@code fields} are names and values in turn. */
    public void respond(int stream, int flags, String status, String... fields) throws IOException {
        List<String> all = new ArrayList<>(List.of(":status", status));
        all.addAll(List.of(fields));
        send(HEADERS, END_HEADERS | flags, stream, fields(all.toArray(new String[0])));
    }

    /** Sends a request head whose body is to follow. */
    public void open(int stream, String method, String path, String authority, String... fields) throws IOException {
        send(HEADERS, END_HEADERS, stream, block(method, path, authority, fields));
    }

    /** The field block of a request head; {@code fields} are names and values in turn. */
    public static byte[] block(String method, String path, String authority, String... fields) {
        List<String> all =
                new ArrayList<>(List.of(":method", method, ":scheme", "https", ":path", path, ":authority", authority));
        all.addAll(List.of(fields));
        return fields(all.toArray(new String[0]));
    }

    /** A field block of literals; {@code fields} are names and values in turn. */
    public static byte[] fields(String... fields) {
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        for (int i = 0; i < fields.length; i++) {
            if (i % 2 == 0) {
                block.write(0);
            }
            byte[] bytes = fields[i].getBytes(StandardCharsets.ISO_8859_1);
            length(block, bytes.length);
            block.writeBytes(bytes);
        }
        return block.toByteArray();
    }

    /** An integer with a prefix of seven bits (RFC 7541 section 5.1). */
    private static void length(ByteArrayOutputStream block, int length) {
        if (length < 127) {
            block.write(length);
            return;
        }
        block.write(127);
        int rest = length - 127;
        while (rest > 127) {
            block.write(rest & 127 | 128);
            rest >>= 7;
        }
        block.write(rest);
    }

    /** Sends a field block in frames of at most {@code each} bytes. */
    public void sendBlock(int flags, int stream, byte[] block, int each) throws IOException {
        for (int at = 0; at < block.length; at += each) {
            int end = Math.min(block.length, at + each);
            send(
                    at == 0 ? HEADERS : CONTINUATION,
                    (at == 0 ? flags : 0) | (end == block.length ? END_HEADERS : 0),
                    stream,
                    Arrays.copyOfRange(block, at, end));
        }
    }

    /** The bytes of a frame. */
    public static byte[] frame(int type, int flags, int stream, byte... payload) {
        return ByteBuffer.allocate(9 + payload.length)
                .putInt(payload.length << 8 | type)
                .put((byte) flags)
                .putInt(stream)
                .put(payload)
                .array();
    }

    /** Sends bytes as they are, as long as the server takes them. */
    public void sendRaw(byte[] bytes) throws IOException {
        connection.send(bytes);
    }

    public void send(int type, int flags, int stream, byte[] payload) throws IOException {
        connection.send(frame(type, flags, stream, payload));
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

    /** The next frame of a type. */
    public Frame next(int type) throws IOException {
        Frame frame = read();
        while (frame.type() != type) {
            frame = read();
        }
        return frame;
    }

    /** The next frame of a stream, or a GOAWAY. */
    public Frame read(int stream) throws IOException {
        Frame frame = read();
        while (frame.stream() != stream && frame.type() != GOAWAY) {
            frame = read();
        }
        return frame;
    }

    /**
     * How a stream is answered: the status, {@code reset}, or {@code goaway}. Only statuses of the static table and
     * literals are read.
     */
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

    /** The fields of a HEADERS frame in their order; to be called for each in turn. */
    public List<String> fieldsOf(Frame headers) throws IOException {
        List<String> fields = new ArrayList<>();
        try {
            decoder.setHeaderEmitter((name, value, neverIndex) -> fields.add(name + ": " + value));
            decoder.decode(ByteBuffer.wrap(headers.payload()), false);
        } catch (HpackException e) {
            throw new IOException(e);
        }
        return fields;
    }

    /** The status of a HEADERS frame; to be called for each in turn. */
    public String status(Frame headers) throws IOException {
        return status(headers.payload(), decoder);
    }

    /** What ends the connection: the code of its GOAWAY, or -1 if there was none. */
    public int end() {
        try {
            while (true) {
                Frame frame = read();
                if (frame.type() == GOAWAY) {
                    return frame.code();
                }
            }
        } catch (IOException e) {
            return -1;
        }
    }

    /** The code that a stream is reset by, or -1 if it is answered or the connection ends. */
    public int resetOf(int stream) throws IOException {
        Frame frame = read(stream);
        while (frame.type() == WINDOW_UPDATE) {
            frame = read(stream);
        }
        return frame.type() == RST_STREAM ? frame.code() : -1;
    }

    /** The fields of a HEADERS frame as names and values, sorted; to be called for each in turn. */
    public Map<String, String> fields(Frame headers) throws IOException {
        Map<String, String> fields = new TreeMap<>();
        fields(headers.payload(), decoder)
                .forEach(values -> fields.put(values.getHeaderName().toString(), String.join(", ", values)));
        return fields;
    }

    private static String status(byte[] block, HpackDecoder decoder) throws IOException {
        String status = fields(block, decoder).getFirst(new HttpString(":status"));
        return status == null ? "none" : status;
    }

    private static HeaderMap fields(byte[] block, HpackDecoder decoder) throws IOException {
        try {
            HeaderMap fields = new HeaderMap();
            decoder.setHeaderEmitter((name, value, neverIndex) -> fields.add(name, value));
            decoder.decode(ByteBuffer.wrap(block), false);
            return fields;
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
