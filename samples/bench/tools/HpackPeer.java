package io.webproxy.undertow.http2;

import io.undertow.util.HttpString;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * The proxy's HPACK for a program of another language, over standard input and output: a letter, a length of four bytes, and so many bytes. {@code N}: a new
 * connection; {@code D}: decodes a block; {@code L}: the limit of the encoder's table; {@code E}: encodes fields.
 */
final class HpackPeer {
    private final DataInputStream in = new DataInputStream(new BufferedInputStream(System.in, 65_536));
    private final DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out, 65_536));
    private HpackDecoder decoder = new HpackDecoder(4096);
    private HpackEncoder encoder = new HpackEncoder();

    public static void main(String[] args) throws IOException {
        HpackPeer peer = new HpackPeer();
        for (int what = peer.in.read(); what >= 0; what = peer.in.read()) {
            peer.step(what);
        }
    }

    private void step(int what) throws IOException {
        byte[] bytes = new byte[in.readInt()];
        in.readFully(bytes);
        switch (what) {
            case 'N' -> {
                decoder = new HpackDecoder(4096);
                encoder = new HpackEncoder();
            }
            case 'L' -> encoder.tableLimit(Integer.parseInt(new String(bytes, StandardCharsets.US_ASCII)));
            case 'D' -> decode(bytes);
            case 'E' -> encode(new DataInputStream(new ByteArrayInputStream(bytes)));
            default -> throw new IOException("unknown: " + what);
        }
    }

    /** Answers with a byte that says whether the block is valid, how many fields came, and the fields: lengths of name and value, name, value. */
    private void decode(byte[] block) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream fields = new DataOutputStream(bytes);
        int[] count = new int[1];
        boolean valid = decoder.decode(block, 0, block.length, (name, value) -> {
            try {
                fields.writeInt(name.length());
                fields.writeInt(value.length());
                name.writeTo(fields);
                fields.write(value.getBytes(StandardCharsets.ISO_8859_1));
                count[0]++;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        out.writeByte(valid ? 1 : 0);
        out.writeInt(count[0]);
        out.writeInt(bytes.size());
        bytes.writeTo(out);
        out.flush();
    }

    /** Answers with the length of the block and the block. */
    private void encode(DataInputStream fields) throws IOException {
        encoder.start();
        while (fields.available() > 0) {
            byte[] name = new byte[fields.readInt()];
            byte[] value = new byte[fields.readInt()];
            fields.readFully(name);
            fields.readFully(value);
            encoder.field(new HttpString(name), new String(value, StandardCharsets.UTF_8));
        }
        out.writeInt(encoder.length());
        out.write(encoder.bytes(), 0, encoder.length());
        out.flush();
    }
}
