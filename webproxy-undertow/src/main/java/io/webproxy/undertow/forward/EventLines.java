package io.webproxy.undertow.forward;

import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.message.MethodNames;
import io.webproxy.undertow.upstream.ParsedHead;
import java.nio.ByteBuffer;
import java.util.Locale;

/**
 * Follows the lines of an event stream (WHATWG HTML sections 9.2.5 and 9.2.6): distinguishes events from comments, and
 * finds the gaps between events. Total: input may be split anywhere. Not thread-safe.
 */
final class EventLines {
    private static final byte[] BYTE_ORDER_MARK = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};
    private static final int SETTLED = -1;
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private boolean atLineStart = true;
    private boolean afterCr;
    private boolean inComment;
    private boolean inEvent;
    /** How many bytes of a byte order mark the stream began with, or {@link #SETTLED}. */
    private int mark;

    /**
     * Whether the response is an event stream whose lines can be seen: a content coding would hide them, and a response
     * to HEAD has none.
     */
    static boolean canFollow(Exchange exchange, ParsedHead answer) {
        HeaderMap fields = answer.fields();
        String type = fields.getFirst(Headers.CONTENT_TYPE);
        return type != null
                && isEventStream(type)
                && !fields.contains(Headers.CONTENT_ENCODING)
                && !MethodNames.isHead(exchange.http().getRequestMethod());
    }

    private static boolean isEventStream(String type) {
        int end = type.indexOf(';');
        return (end < 0 ? type : type.substring(0, end))
                .strip()
                .toLowerCase(Locale.ROOT)
                .equals("text/event-stream");
    }

    /**
     * Bytes passed: those of {@code bytes} from {@code start} to its position.
     *
     * @return whether one of them belongs to an event: to a line that has a field, or to the blank line after one.
     *     Comments and other blank lines don't
     */
    boolean pass(ByteBuffer bytes, int start) {
        boolean event = false;
        int end = bytes.position();
        for (int i = start; i < end; i++) {
            event |= next(bytes.get(i));
        }
        return event;
    }

    /** Returns whether the byte belongs to an event. */
    private boolean next(byte b) {
        if (mark != SETTLED) {
            mark = b == BYTE_ORDER_MARK[mark] ? mark + 1 : SETTLED;
            if (mark == BYTE_ORDER_MARK.length) {
                // the first line begins after it
                mark = SETTLED;
                atLineStart = true;
                inEvent = false;
                return false;
            }
        }
        if (b == '\n' && afterCr) {
            afterCr = false;
            return false;
        }
        if (b == '\n' || b == '\r') {
            boolean ofEvent = inEvent && !inComment;
            if (atLineStart) {
                inEvent = false;
            }
            atLineStart = true;
            inComment = false;
            afterCr = b == '\r';
            return ofEvent;
        }
        if (atLineStart) {
            inComment = b == ':';
        }
        inEvent |= !inComment;
        atLineStart = false;
        afterCr = false;
        return !inComment && mark == SETTLED;
    }

    /** Whether the stream is between two events, at the start of a line. */
    boolean isGap() {
        return atLineStart && !inEvent;
    }

    /** Whether nothing has passed yet. */
    boolean isEmpty() {
        return mark == 0;
    }

    /** Whether a byte, if it is the next one, continues a byte order mark at the start of the stream. */
    boolean isNextOfMark(byte b) {
        return mark != SETTLED && b == BYTE_ORDER_MARK[mark];
    }

    /** The next byte of the byte order mark is skipped. */
    void skipOfMark() {
        mark = mark + 1 == BYTE_ORDER_MARK.length ? SETTLED : mark + 1;
    }

    /** Bytes that were skipped but, as the next byte shows, aren't a byte order mark; they count as passed. */
    ByteBuffer unskipped() {
        if (mark <= 0) {
            return NOTHING;
        }
        ByteBuffer bytes = ByteBuffer.wrap(BYTE_ORDER_MARK, 0, mark);
        mark = SETTLED;
        for (int i = 0; i < bytes.limit(); i++) {
            next(bytes.get(i));
        }
        return bytes;
    }
}
