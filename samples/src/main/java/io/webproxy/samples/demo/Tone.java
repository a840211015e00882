package io.webproxy.samples.demo;

import io.undertow.server.HttpServerExchange;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;

/**
 * An audio stream without end: a quiet tone as WAV, 8 kHz mono, each piece sent when it is to be played. Ends when the
 * client leaves.
 */
final class Tone implements Iterator<ByteBuffer> {
    private static final int RATE = 8000;
    private static final int BYTES_OF_SAMPLE = 2;
    private static final int HERTZ = 440;
    private static final int LOUDNESS = 4000;
    private static final int HEADER = 44;
    private static final int FORMAT_LENGTH = 16;
    private static final short PCM = 1;

    private long sample = -1;

    private Tone() {}

    static void handle(HttpServerExchange exchange) {
        if (Reply.allowsReading(exchange)) {
            Pieces.send(exchange, "audio/wav", new Tone());
        }
    }

    @Override
    public boolean hasNext() {
        return true;
    }

    @Override
    public ByteBuffer next() {
        if (sample < 0) {
            sample = 0;
            return header();
        }
        int samples = (int) (RATE * Pieces.PAUSE_MILLIS / 1000);
        ByteBuffer piece = ByteBuffer.allocate(samples * BYTES_OF_SAMPLE).order(ByteOrder.LITTLE_ENDIAN);
        while (piece.hasRemaining()) {
            piece.putShort((short) (LOUDNESS * Math.sin(2 * Math.PI * HERTZ * sample++ / RATE)));
        }
        return piece.flip();
    }

    /** A RIFF header with the largest possible length: players take it for a stream. */
    private static ByteBuffer header() {
        return ByteBuffer.allocate(HEADER)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(ascii("RIFF"))
                .putInt(-1)
                .put(ascii("WAVEfmt "))
                .putInt(FORMAT_LENGTH)
                .putShort(PCM)
                .putShort((short) 1)
                .putInt(RATE)
                .putInt(RATE * BYTES_OF_SAMPLE)
                .putShort((short) BYTES_OF_SAMPLE)
                .putShort((short) (BYTES_OF_SAMPLE * Byte.SIZE))
                .put(ascii("data"))
                .putInt(-1)
                .flip();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
