package io.webproxy.undertow.forward;

import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.upstream.ParsedHead;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Decides when an idle event stream gets a comment line: it follows what is sent to the client, finds the gaps between
 * events (WHATWG HTML section 9.2.6), and measures the idle time.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread.
 */
final class SseHeartbeat {
    private static final byte[] COMMENT = ":\n\n".getBytes(StandardCharsets.US_ASCII);
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final EventLines lines = new EventLines();
    private final long silence;
    private long lastSent;

    /** Whether a comment was sent before the first byte of the stream. */
    private boolean commented;

    SseHeartbeat(long silence, long now) {
        this.silence = silence;
        this.lastSent = now;
    }

    /** One for a response that may have heartbeats, else null: they would break a Content-Length. */
    static @Nullable SseHeartbeat of(Exchange exchange, ParsedHead answer) {
        long silence = exchange.route().sseHeartbeat().toNanos();
        return silence > 0 && !answer.isLengthKnown() && EventLines.canFollow(exchange, answer)
                ? new SseHeartbeat(silence, exchange.shared().nanoClock().getAsLong())
                : null;
    }

    /** Body bytes were sent: those of {@code bytes} from {@code start} to its position. */
    void sent(ByteBuffer bytes, int start, long now) {
        lastSent = now;
        lines.pass(bytes, start);
    }

    /** Whether a comment is due: the stream has been idle for long enough, between two events. */
    boolean isDue(long now) {
        return lines.isGap() && now - lastSent >= silence;
    }

    /** The comment line to send now; don't pass it to {@link #sent}. */
    ByteBuffer comment(long now) {
        lastSent = now;
        commented |= lines.isEmpty();
        return ByteBuffer.wrap(COMMENT);
    }

    /**
     * A byte order mark is one only as the first thing in a stream (WHATWG HTML section 9.2.5). After a comment it
     * would become part of a field's name, so it is skipped there, even if it arrives in pieces.
     *
     * @return number of bytes skipped
     */
    int skipByteOrderMark(ByteBuffer bytes) {
        int start = bytes.position();
        while (commented && bytes.hasRemaining() && lines.isNextOfMark(bytes.get(bytes.position()))) {
            bytes.get();
            lines.skipOfMark();
        }
        return bytes.position() - start;
    }

    /**
     * Bytes that were skipped but, as the next byte shows, aren't a byte order mark: send them first, and don't pass
     * them to {@link #sent}.
     */
    ByteBuffer unskipped() {
        return commented ? lines.unskipped() : NOTHING;
    }
}
