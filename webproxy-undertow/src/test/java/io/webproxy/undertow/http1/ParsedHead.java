package io.webproxy.undertow.http1;

import io.undertow.util.HeaderValues;
import io.webproxy.http.HttpLimits;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** What a parser makes of bytes, as one text that can be compared. */
final class ParsedHead {
    private final RequestParser parser;
    private final boolean complete;
    private final int taken;

    private ParsedHead(RequestParser parser, boolean complete, int taken) {
        this.parser = parser;
        this.complete = complete;
        this.taken = taken;
    }

    static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.replace("¶", "\r\n").getBytes(StandardCharsets.ISO_8859_1));
    }

    static ParsedHead of(String text) {
        return of(bytes(text), Integer.MAX_VALUE, HttpLimits.defaults());
    }

    /** Gives the parser pieces of this size. */
    static ParsedHead of(ByteBuffer all, int piece, HttpLimits limits) {
        RequestParser parser = new RequestParser();
        boolean complete = false;
        int at = 0;
        while (!complete && at < all.limit()) {
            ByteBuffer in = all.duplicate().position(at).limit(Math.min(all.limit(), Math.max(piece, at + piece)));
            complete = parser.parse(in, limits);
            if (!complete && in.hasRemaining()) {
                throw new AssertionError("bytes are left of a head that isn't complete");
            }
            at = in.position();
        }
        return new ParsedHead(parser, complete, at);
    }

    RequestParser parser() {
        return parser;
    }

    boolean isComplete() {
        return complete;
    }

    int taken() {
        return taken;
    }

    /** The status of the refusal; 0 for none. */
    int status() {
        return parser.problem() == null ? 0 : parser.problem().status();
    }

    @Nullable String value(String name) {
        return parser.headers().getFirst(name);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        text.append(complete).append(' ').append(taken).append(' ').append(parser.problem());
        text.append('\n').append(parser.method()).append(' ').append(parser.path());
        text.append('?').append(parser.query()).append(' ').append(parser.protocol());
        if (parser.problem() == null && complete) {
            RequestFields fields = parser.fields();
            text.append('\n').append(fields.length()).append(fields.isChunked());
            text.append(fields.isPersistent(parser.isHttp11()));
        }
        for (HeaderValues values : parser.headers()) {
            text.append('\n').append(values.getHeaderName()).append('=').append(String.join("|", values));
        }
        return text.toString();
    }
}
