package io.webproxy.samples.demo;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.ByteRange;
import io.undertow.util.ByteRange.RangeResponseResult;
import io.undertow.util.Headers;
import io.undertow.util.Methods;
import io.undertow.util.StatusCodes;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.xnio.channels.StreamSinkChannel;

/**
 * Downloads of any size, made up on the fly: {@code /download/any-name?size=bytes}, also by a single range (RFC 9110
 * section 14). Paths below {@code /models} work in the same way.
 */
final class Download {
    private static final Pattern NAME = Pattern.compile("/[A-Za-z0-9][A-Za-z0-9._-]{0,99}");
    private static final long LARGEST = 1L << 40;

    private Download() {}

    static void handle(HttpServerExchange exchange) {
        String name = exchange.getRelativePath();
        if (!NAME.matcher(name).matches()) {
            Reply.text(exchange, 404, "Downloads are at /download/name?size=bytes.");
        } else if (Reply.allowsReading(exchange)) {
            long size = Reply.number(exchange, "size", 1 << 20, LARGEST);
            String tag = "\"" + size + "\"";
            exchange.getResponseHeaders()
                    .put(Headers.CONTENT_TYPE, "application/octet-stream")
                    .put(Headers.CONTENT_DISPOSITION, "attachment; filename=\"" + name.substring(1) + "\"")
                    .put(Headers.ACCEPT_RANGES, "bytes")
                    .put(Headers.ETAG, tag);
            RangeResponseResult range = range(exchange, size, tag);
            if (range == null) {
                send(exchange, 0, size);
            } else {
                exchange.setStatusCode(range.getStatusCode());
                exchange.getResponseHeaders().put(Headers.CONTENT_RANGE, range.getContentRange());
                boolean satisfiable = range.getStatusCode() == StatusCodes.PARTIAL_CONTENT;
                send(exchange, range.getStart(), satisfiable ? range.getEnd() + 1 : range.getStart());
            }
        }
    }

    private static @Nullable RangeResponseResult range(HttpServerExchange exchange, long size, String tag) {
        String field = exchange.getRequestHeaders().getFirst(Headers.RANGE);
        ByteRange range = field == null || size == 0 ? null : ByteRange.parse(field);
        return range == null || range.getRanges() != 1
                ? null
                : range.getResponseResult(size, exchange.getRequestHeaders().getFirst(Headers.IF_RANGE), null, tag);
    }

    private static void send(HttpServerExchange exchange, long start, long end) {
        exchange.setResponseContentLength(end - start);
        if (start == end || exchange.getRequestMethod().equals(Methods.HEAD)) {
            exchange.endExchange();
            return;
        }
        StreamSinkChannel channel = exchange.getResponseChannel();
        ContentWriter writer = new ContentWriter(exchange, start, end);
        channel.getWriteSetter().set(writer);
        exchange.dispatch(exchange.getIoThread(), () -> writer.handleEvent(channel));
    }
}
