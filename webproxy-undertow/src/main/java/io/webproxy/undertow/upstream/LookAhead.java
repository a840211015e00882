package io.webproxy.undertow.upstream;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.webproxy.undertow.message.ChunkedDecoder;
import io.webproxy.undertow.message.Leniency;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.xnio.conduits.ConduitStreamSourceChannel;

/**
 * What has arrived of a response body of which nothing was read yet, up to one buffer: shows whether the body is broken
 * already. Of a body that is longer only a part is known. Not thread-safe.
 */
final class LookAhead {
    private final PooledByteBuffer bytes;
    /** No more bytes follow. */
    private boolean over;
    /** The connection has failed. */
    private boolean failed;

    /**
     * Reads what is there.
     *
     * @param early what was read before, with the framing; null for nothing
     */
    LookAhead(ConduitStreamSourceChannel source, @Nullable PooledByteBuffer early, ByteBufferPool buffers) {
        if (early == null) {
            bytes = buffers.allocate();
            bytes.getBuffer().limit(0);
        } else {
            bytes = early;
        }
        ByteBuffer raw = bytes.getBuffer().compact();
        try {
            int read = 1;
            while (read > 0 && raw.hasRemaining()) {
                read = source.read(raw);
            }
            over = read < 0;
        } catch (IOException e) {
            over = true;
            failed = true;
        } finally {
            raw.flip();
        }
    }

    /** All that was read so far, to be closed by the caller. */
    PooledByteBuffer bytes() {
        return bytes;
    }

    /**
     * Why the body can't be completed, or null.
     *
     * @param length of a body whose framing has one
     */
    @Nullable String problem(ParsedHead.Framing framing, long length, Leniency leniency) {
        ByteBuffer raw = bytes.getBuffer();
        boolean cut = switch (framing) {
            case NONE -> false;
            case LENGTH -> over && raw.remaining() < length;
            case CLOSE -> failed;
            case CHUNKED -> {
                ChunkedDecoder trial = new ChunkedDecoder(leniency);
                trial.decode(raw.duplicate(), ByteBuffer.allocate(raw.remaining()));
                yield trial.problem() != null || (over && !trial.isEnd());
            }
        };
        return cut ? "the response body broke off before it was read" : null;
    }
}
