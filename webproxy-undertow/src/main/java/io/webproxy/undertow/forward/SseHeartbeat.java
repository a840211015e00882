package io.webproxy.undertow.forward;

import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.Methods;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.upstream.ParsedHead;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Decides when an idle event stream gets a comment line: it follows what is sent to the client, finds the gaps between
 * events (WHATWG HTML section 9.2.6), and measures the idle time.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread.
 */
final class SseHeartbeat {
    private static final byte[] COMMENT = ":\n\n".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] BYTE_ORDER_MARK = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};
    private static final int SETTLED = -1;

    private final long silence;
    private long lastSent;
    private boolean atLineStart = true;
    private boolean afterCr;
    private boolean inComment;
    private boolean inEvent;
    /** How many bytes of a byte order mark the stream began with, or {@link #SETTLED}. */
    private int mark;

    /** Whether a comment was sent before the first byte of the stream. */
    private boolean commented;

    SseHeartbeat(long silence, long now) {
        this.silence = silence;
        this.lastSent = now;
    }

    /**
     * One for a response that may have heartbeats, else null: they would break a Content-Length and a content coding.
     */
    static @Nullable SseHeartbeat of(Exchange exchange, ParsedHead answer) {
        long silence = exchange.route().sseHeartbeat().toNanos();
        HeaderMap fields = answer.fields();
        String type = fields.getFirst(Headers.CONTENT_TYPE);
        boolean possible = silence > 0
                && !answer.isLengthKnown()
                && type != null
                && isEventStream(type)
                && !fields.contains(Headers.CONTENT_ENCODING)
                && !exchange.http().getRequestMethod().equals(Methods.HEAD);
        return possible
                ? new SseHeartbeat(silence, exchange.shared().nanoClock().getAsLong())
                : null;
    }

    private static boolean isEventStream(String type) {
        int end = type.indexOf(';');
        return (end < 0 ? type : type.substring(0, end))
                .strip()
                .toLowerCase(Locale.ROOT)
                .equals("text/event-stream");
    }

    /** Body bytes were sent: those of {@code bytes} from {@code start} to its position. */
    void sent(ByteBuffer bytes, int start, long now) {
        lastSent = now;
        for (int i = start; i < bytes.position(); i++) {
            next(bytes.get(i));
        }
    }

    private void next(byte b) {
        if (mark != SETTLED) {
            mark = b == BYTE_ORDER_MARK[mark] ? mark + 1 : SETTLED;
            if (mark == BYTE_ORDER_MARK.length) {
                // the first line begins after it
                mark = SETTLED;
                atLineStart = true;
                inEvent = false;
                return;
            }
        }
        if (b == '\n' && afterCr) {
            afterCr = false;
        } else if (b == '\n' || b == '\r') {
            if (atLineStart) {
                inEvent = false;
            }
            atLineStart = true;
            inComment = false;
            afterCr = b == '\r';
        } else {
            if (atLineStart) {
                inComment = b == ':';
            }
            inEvent |= !inComment;
            atLineStart = false;
            afterCr = false;
        }
    }

    /** Whether a comment is due: the stream has been idle for long enough, between two events. */
    boolean isDue(long now) {
        return atLineStart && !inEvent && now - lastSent >= silence;
    }

    /** The comment line to send now; don't pass it to {@link #sent}. */
    ByteBuffer comment(long now) {
        lastSent = now;
        commented |= mark == 0;
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
        while (commented
                && mark != SETTLED
                && bytes.hasRemaining()
                && bytes.get(bytes.position()) == BYTE_ORDER_MARK[mark]) {
            bytes.get();
            mark++;
            if (mark == BYTE_ORDER_MARK.length) {
                mark = SETTLED;
            }
        }
        return bytes.position() - start;
    }

    /**
     * Bytes that were skipped but, as the next byte shows, aren't a byte order mark: send them first, and don't pass
     * them to {@link #sent}.
     */
    ByteBuffer unskipped() {
        ByteBuffer bytes = ByteBuffer.wrap(BYTE_ORDER_MARK, 0, commented && mark != SETTLED ? mark : 0);
        if (bytes.hasRemaining()) {
            mark = SETTLED;
            for (int i = 0; i < bytes.limit(); i++) {
                next(bytes.get(i));
            }
        }
        return bytes;
    }
}
