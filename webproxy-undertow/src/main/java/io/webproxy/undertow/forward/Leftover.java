package io.webproxy.undertow.forward;

import io.undertow.connector.PooledByteBuffer;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.upstream.UpstreamStream;
import java.io.IOException;
import org.xnio.conduits.StreamSourceConduit;

/** What is left of a response that isn't forwarded. */
final class Leftover {
    /** What is at hand up to this length is read, so that the connection can serve again. */
    private static final int MOST = 16 * 1024;

    private Leftover() {}

    /** Reads what is at hand of a short body, so that its connection can serve again; else aborts the stream. */
    static void discard(Exchange exchange, StreamSourceConduit body, UpstreamStream stream) {
        boolean whole = false;
        try {
            whole = isRead(exchange, body);
        } finally {
            if (!whole) {
                stream.abort();
            }
        }
    }

    private static boolean isRead(Exchange exchange, StreamSourceConduit body) {
        try (PooledByteBuffer pooled =
                exchange.http().getConnection().getByteBufferPool().allocate()) {
            int rest = MOST;
            while (rest > 0) {
                int read = body.read(pooled.getBuffer().clear());
                if (read < 0) {
                    return true;
                }
                if (read == 0) {
                    break;
                }
                rest -= read;
            }
        } catch (IOException e) {
            // broken, which is no news about a response that isn't forwarded
        }
        return false;
    }
}
