package io.webproxy.undertow.http2;

import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.StatusCodes;
import io.webproxy.undertow.exchange.BrokenOff;
import io.webproxy.undertow.message.MethodNames;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;

/**
 * Sends the head and the body of a response, or the bytes of a tunnel, to a client. The head goes out with the first
 * bytes of the body, and END_STREAM with the last if the length is known.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class ResponseSink extends StreamSink {
    private final Http2Stream stream;
    private final Http2Connection connection;
    private final Http2Sender sender;
    private boolean headSent;
    private boolean bodiless;
    /** How many bytes are missing of the length in the head, else -1. */
    private long missing = -1;

    private boolean terminated;
    /** END_STREAM is in the output. */
    private boolean ended;

    private boolean finished;
    private boolean tunnel;

    ResponseSink(Http2Stream stream, long window) {
        super(stream.connection(), stream, window);
        this.stream = stream;
        this.connection = stream.connection();
        this.sender = connection.sender();
    }

    // --- called by the connection ---

    @Override
    boolean isOver() {
        return broken || (finished && !tunnel);
    }

    @Override
    boolean isTerminated() {
        return terminated;
    }

    boolean isBodiless() {
        return bodiless;
    }

    boolean isEnded() {
        return ended;
    }

    /** From now on it carries the bytes of a tunnel. */
    void tunnel() {
        tunnel = true;
        terminated = false;
        missing = -1;
    }

    /** A response starts: determines its framing. */
    void begin(HttpServerExchange http) {
        HeaderMap fields = http.getResponseHeaders();
        int status = http.getStatusCode();
        if (stream.isTunnelRequest() && status >= 200 && status < 300) {
            // the client would take it for an open tunnel (RFC 8441 section 4)
            status = StatusCodes.NOT_IMPLEMENTED;
            http.setStatusCode(status);
            fields.remove(Headers.CONTENT_LENGTH);
            fields.remove(Headers.CONTENT_TYPE);
            bodiless = true;
        }
        boolean none = status == StatusCodes.NO_CONTENT || status == StatusCodes.NOT_MODIFIED;
        bodiless |= none || MethodNames.isHead(http.getRequestMethod());
        String length = bodiless ? null : fields.getFirst(Headers.CONTENT_LENGTH);
        missing = length == null ? -1 : Long.parseLong(length);
        if (status == StatusCodes.NO_CONTENT) {
            fields.remove(Headers.CONTENT_LENGTH);
        }
    }

    // --- the conduit ---

    private void check() throws IOException {
        if (broken) {
            throw new BrokenOff("the stream was reset");
        }
        if (terminated) {
            throw new ClosedChannelException();
        }
    }

    private void head(boolean end) {
        if (!headSent) {
            headSent = true;
            ended = end;
            connection.heads().encode(stream.http());
            sender.block(stream.id(), end);
        }
    }

    @Override
    public int write(ByteBuffer src) throws IOException {
        check();
        int wanted = src.remaining();
        if (wanted == 0) {
            return 0;
        }
        if (bodiless) {
            src.position(src.limit());
            return wanted;
        }
        if (missing >= 0 && wanted > missing) {
            throw new IOException("more bytes than Content-Length says");
        }
        head(false);
        int length = send(src, missing);
        ended = length > 0 && length == missing;
        if (missing >= 0) {
            missing -= length;
        }
        return length;
    }

    @Override
    public void terminateWrites() throws IOException {
        if (terminated || (finished && !tunnel)) {
            return;
        }
        if (broken) {
            throw new BrokenOff("the stream was reset");
        }
        terminated = true;
        if (stream.isUpgraded() && !tunnel) {
            head(false);
        } else if (!headSent) {
            HeaderMap trailers = trailers();
            boolean alone = missing <= 0 && trailers == null;
            head(alone);
            if (missing > 0) {
                cutShort();
            } else if (!alone) {
                end(trailers);
            }
        } else if (missing > 0) {
            cutShort();
        } else if (!ended) {
            end(trailers());
        }
    }

    /**
     * Ends an incomplete response by these trailers, or by a head with them if none was sent; false if that is too
     * late, or would look like a complete one.
     */
    boolean endCall(HeaderMap trailers) {
        if (broken || terminated || ended || tunnel || bodiless || missing > 0) {
            return false;
        }
        if (headSent) {
            end(trailers);
        } else {
            headSent = true;
            ended = true;
            connection.heads().callEnd(trailers);
            sender.block(stream.id(), true);
        }
        terminated = true;
        finished = true;
        breakOff();
        return true;
    }

    private void end(@Nullable HeaderMap trailers) {
        ended = true;
        sender.end(stream.id(), trailers);
    }

    /** The announced length isn't reached: the client must see that (RFC 9113 section 8.1.1). */
    private void cutShort() {
        connection.reset(stream, ErrorCode.INTERNAL_ERROR);
    }

    private @Nullable HeaderMap trailers() {
        HeaderMap trailers = tunnel || bodiless ? null : stream.http().getAttachment(HttpAttachments.RESPONSE_TRAILERS);
        return trailers == null || trailers.size() == 0 ? null : trailers;
    }

    @Override
    public boolean flush() throws IOException {
        if (finished && !tunnel) {
            return true;
        }
        if (broken) {
            if (!ended) {
                throw new BrokenOff("the stream was reset");
            }
            finish();
            return true;
        }
        head(false);
        sender.flushSoon();
        flushWaits = sender.isBlocked();
        if (flushWaits) {
            return false;
        }
        if (terminated) {
            finish();
        }
        return true;
    }

    private void finish() {
        if (!finished) {
            finished = true;
            Connectors.terminateResponse(stream.http());
        } else if (tunnel) {
            connection.tunnelWritten(stream);
        }
    }

    @Override
    public void truncateWrites() {
        if (!finished || tunnel) {
            terminated = true;
            if (!ended) {
                connection.reset(stream, ErrorCode.CANCEL);
            }
            finish();
        }
    }

    @Override
    public boolean isWriteShutdown() {
        return terminated || broken;
    }
}
