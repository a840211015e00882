package io.webproxy.testing;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;

/** ClientHellos in bytes: of engines, and made by hand, also such that no engine would make. */
public final class Hellos {
    private static final int RECORD_HEADER = 5;

    private Hellos() {}

    /** What an engine of a context says first. */
    public static byte[] of(SSLContext context, String host, String[] versions, String... alpn) throws SSLException {
        SSLEngine engine = context.createSSLEngine(host, 443);
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setProtocols(versions);
        parameters.setApplicationProtocols(alpn);
        engine.setSSLParameters(parameters);
        engine.beginHandshake();
        ByteBuffer out = ByteBuffer.allocate(1 << 15);
        engine.wrap(ByteBuffer.allocate(0), out);
        engine.closeOutbound();
        while (!engine.isOutboundDone()) {
            engine.wrap(ByteBuffer.allocate(0), ByteBuffer.allocate(1 << 15));
        }
        return Arrays.copyOf(out.array(), out.position());
    }

    /** A hello of TLS 1.2 with one suite and these extensions, in one record. */
    public static byte[] with(byte[]... extensions) {
        byte[] all = joined(extensions);
        return record(message(joined(start(), extensions.length == 0 ? all : vector(2, all))));
    }

    /** All of a hello before its extensions. */
    public static byte[] start() {
        return joined(
                new byte[] {3, 3},
                new byte[32],
                vector(1, new byte[0]),
                vector(2, number(0xc02f)),
                vector(1, new byte[1]));
    }

    public static byte[] extension(int type, byte[]... data) {
        return joined(number(type), vector(2, joined(data)));
    }

    /** The extension {@code server_name} with one host name. */
    public static byte[] serverName(String name) {
        return extension(0, vector(2, new byte[] {0}, vector(2, ascii(name))));
    }

    /** The extension {@code application_layer_protocol_negotiation} with these names (RFC 7301 section 3.1). */
    public static byte[] protocols(String... names) {
        return extension(
                16,
                vector(
                        2,
                        Arrays.stream(names).map(name -> vector(1, ascii(name))).toArray(byte[][]::new)));
    }

    /** As much padding (RFC 7685) as wanted. */
    public static byte[] padding(int bytes) {
        return extension(21, new byte[bytes]);
    }

    /** A ClientHello message with this body. */
    public static byte[] message(byte[] body) {
        return joined(new byte[] {1}, vector(3, body));
    }

    /** A handshake record. */
    public static byte[] record(byte[] fragment) {
        return joined(new byte[] {22, 3, 1}, vector(2, fragment));
    }

    /** The hello in records of so many bytes each. */
    public static byte[] inRecords(byte[] hello, int size) {
        byte[] message = messageOf(hello);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int at = 0; at < message.length; at += size) {
            out.writeBytes(record(Arrays.copyOfRange(message, at, Math.min(message.length, at + size))));
        }
        return out.toByteArray();
    }

    /** The message of a hello in any number of records. */
    public static byte[] messageOf(byte[] records) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int at = 0; at < records.length; ) {
            int length = Short.toUnsignedInt(ByteBuffer.wrap(records).getShort(at + 3));
            out.write(records, at + RECORD_HEADER, length);
            at += RECORD_HEADER + length;
        }
        return out.toByteArray();
    }

    /** Bytes behind their length, which stands in so many bytes. */
    public static byte[] vector(int width, byte[]... content) {
        byte[] all = joined(content);
        byte[] length = new byte[width];
        for (int i = 0; i < width; i++) {
            length[i] = (byte) (all.length >> 8 * (width - 1 - i));
        }
        return joined(length, all);
    }

    /** Numbers of two bytes. */
    public static byte[] number(int... numbers) {
        ByteBuffer bytes = ByteBuffer.allocate(2 * numbers.length);
        Arrays.stream(numbers).forEach(number -> bytes.putShort((short) number));
        return bytes.array();
    }

    public static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    public static byte[] joined(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Arrays.stream(parts).forEach(out::writeBytes);
        return out.toByteArray();
    }
}
