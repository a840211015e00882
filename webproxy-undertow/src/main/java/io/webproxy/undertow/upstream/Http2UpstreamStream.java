package io.webproxy.undertow.upstream;

import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Route;
import io.webproxy.undertow.http2.OutboundStream;
import io.webproxy.undertow.message.ContentLength;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.xnio.conduits.NullStreamSinkConduit;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;

/**
 * One exchange with an upstream as a stream of HTTP/2. A WebSocket is opened by extended CONNECT (RFC 8441), and its
 * response is translated to that of HTTP/1.1.
 */
final class Http2UpstreamStream implements UpstreamStream, OutboundStream.Listener {
    /** RFC 9113 section 7: the response isn't needed any more. */
    private static final int CANCEL = 8;

    /** RFC 9113 section 7: the request must be sent over HTTP/1.1. */
    private static final int HTTP_1_1_REQUIRED = 13;

    private final SharedConnection connection;
    private final boolean tunnel;
    private final boolean reused;
    private @Nullable UpstreamListener listener;
    /** Set when the final head has arrived. */
    private @Nullable ResponseListener reader;

    private @Nullable OutboundStream stream;
    private @Nullable StreamSinkConduit request;
    private boolean webSocket;
    private boolean heard;
    private boolean over;

    /**
     * A stream that is opened with its exchange.
     *
     * @param tunnel whether it becomes a tunnel: its request goes on after the head
     * @param reused whether the connection has served an exchange before
     */
    Http2UpstreamStream(SharedConnection connection, boolean tunnel, boolean reused) {
        this.connection = connection;
        this.tunnel = tunnel;
        this.reused = reused;
    }

    @Override
    public String protocol() {
        return "HTTP/2.0";
    }

    @Override
    public boolean isReused() {
        return reused;
    }

    @Override
    public void exchange(
            UpstreamListener who,
            RequestHead head,
            RequestFraming framing,
            boolean isHead,
            Supplier<@Nullable HeaderMap> trailers) {
        OutboundStream opened = connection.open(this);
        stream = opened;
        listener = who;
        opened.send(
                block -> {
                    Http2Head out = new Http2Head(block);
                    head.writeTo(out);
                    webSocket = out.isWebSocket();
                },
                framing.isNone() && !tunnel);
        // the request of a tunnel ends with the tunnel
        request = tunnel ? new NullStreamSinkConduit(connection.thread()) : opened.body(trailers);
    }

    @Override
    public boolean isRequestSent() {
        // nothing of a tunnel's request is held back here
        return tunnel || (stream != null && !stream.isAwaitingBody());
    }

    @Override
    public boolean isAwaitingBody() {
        return stream != null && stream.isAwaitingBody();
    }

    @Override
    public StreamSinkConduit requestBody() {
        return Objects.requireNonNull(request, "request");
    }

    @Override
    public StreamSourceConduit responseBody(ResponseListener who) {
        reader = who;
        return Objects.requireNonNull(stream, "stream").response();
    }

    @Override
    public void belongTo(@Nullable OwnedConnections owner, Route route) {
        // HTTP/2 has no connection-based authentication
    }

    @Override
    public Detached detach() {
        hearNoMore();
        return new Detached(Objects.requireNonNull(stream, "stream").tunnel(), null);
    }

    @Override
    public long resetCode() {
        return stream == null ? -1 : stream.resetCode();
    }

    @Override
    public void abort() {
        close();
    }

    @Override
    public void close() {
        hearNoMore();
        OutboundStream opened = stream;
        if (!over && opened != null) {
            over = true;
            opened.reset(CANCEL);
        }
    }

    private void hearNoMore() {
        listener = null;
        reader = null;
    }

    // --- events of the stream ---

    @Override
    public void bytesTaken(long bytes) {
        if (listener != null) {
            listener.requestBytesTaken(bytes);
        }
    }

    @Override
    public void requestWrong(String problem) {
        over = true;
        if (listener != null) {
            listener.requestBodyWrong(problem);
        }
    }

    @Override
    public void interim(int status, HeaderMap fields) {
        heard = true;
        if (listener != null) {
            listener.interim(new ParsedHead(status, "", false, fields, ParsedHead.Framing.NONE, 0));
        }
    }

    @Override
    public void head(int status, HeaderMap fields, boolean end) {
        heard = true;
        if (listener != null) {
            listener.responded(parsed(status, fields, end));
        }
    }

    private ParsedHead parsed(int status, HeaderMap fields, boolean end) {
        if (webSocket && status >= 200 && status < 300) {
            fields.put(Headers.CONNECTION, "Upgrade");
            fields.put(Headers.UPGRADE, "websocket");
            return new ParsedHead(101, "", false, fields, ParsedHead.Framing.NONE, 0);
        }
        String length = end ? null : fields.getFirst(Headers.CONTENT_LENGTH);
        return length == null
                ? new ParsedHead(status, "", false, fields, end ? ParsedHead.Framing.NONE : ParsedHead.Framing.CLOSE, 0)
                : new ParsedHead(status, "", false, fields, ParsedHead.Framing.LENGTH, ContentLength.parse(length));
    }

    @Override
    public void bytes(long bytes) {
        if (reader != null) {
            reader.responseBytes(bytes);
        }
    }

    @Override
    public void paused() {
        if (reader != null) {
            reader.responsePaused();
        }
    }

    @Override
    public void ended(HeaderMap trailers) {
        over = true;
        ResponseListener told = reader;
        hearNoMore();
        if (told != null) {
            told.responseEnded(trailers);
        }
    }

    @Override
    public void failed(OutboundStream.Failure failure, String detail) {
        over = true;
        UpstreamListener who = listener;
        ResponseListener told = reader;
        hearNoMore();
        if (told != null) {
            told.responseBroken(detail);
            return;
        }
        if (who == null) {
            return;
        }
        switch (failure) {
            case REFUSED -> who.refused(detail);
            case CLOSED -> who.failed(ForwardError.UPSTREAM_CLOSED, detail, !heard);
            case RESET -> {
                if (resetCode() == HTTP_1_1_REQUIRED && !heard) {
                    who.refused(detail);
                } else {
                    who.failed(ForwardError.UPSTREAM_CLOSED, detail, false);
                }
            }
            case HEAD_TOO_LARGE -> who.failed(ForwardError.RESPONSE_HEAD_TOO_LARGE, detail, false);
            case TOO_SLOW -> who.failed(ForwardError.RESPONSE_HEAD_TIMEOUT, detail, false);
            case INVALID -> who.failed(ForwardError.INVALID_RESPONSE, detail, false);
        }
    }
}
