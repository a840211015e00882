package io.webproxy.undertow.http2;

import static io.webproxy.undertow.http2.ErrorCode.PROTOCOL_ERROR;
import static io.webproxy.undertow.http2.ErrorCode.REFUSED_STREAM;

import io.undertow.util.HeaderMap;
import io.webproxy.http.Http2Limits;
import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.http2.ClosedStreams.Cause;
import io.webproxy.undertow.http2.FloodMeter.Kind;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Reads the frames of a client: its preface, and the streams that it opens with requests. Not thread-safe. */
final class RequestReader extends FrameReader {
    private static final byte[] PREFACE = FrameRules.preface();

    /** Handles a client's frames. */
    interface Handler extends FrameReader.Handler {
        /**
         * A request head is complete and valid.
         *
         * @param end whether the request ends with it
         */
        void request(int stream, RequestFields head, HeaderMap fields, boolean end);

        /**
         * The request of a stream is malformed (RFC 9113 section 8.1.1): tell the client, and reset the stream.
         *
         * @param head of a request that wasn't passed on; null if it was
         */
        void malformed(int stream, @Nullable RequestFields head);
    }

    private final Handler handler;
    private final Http2Limits limits;
    private final HttpLimits heads;
    private final int streamWindow;
    private int prefaceRead;
    /** The last stream that isn't refused when the connection is shut down. */
    private int last = Integer.MAX_VALUE;

    /**
     * A reader for a new connection.
     *
     * @param streamWindow the announced initial window of streams
     */
    RequestReader(Handler handler, Http2Limits limits, HttpLimits heads, FloodMeter meter, int streamWindow) {
        super(handler, meter, true, heads.requestHeadBytes(), heads.fields());
        this.handler = handler;
        this.limits = limits;
        this.heads = heads;
        this.streamWindow = streamWindow;
    }

    @Override
    boolean isPrefaceRead(ByteBuffer data) {
        while (prefaceRead < PREFACE.length && data.hasRemaining()) {
            if (data.get() != PREFACE[prefaceRead++]) {
                fail(PROTOCOL_ERROR);
                return false;
            }
        }
        return prefaceRead == PREFACE.length;
    }

    /** So many bytes of the preface have been read before. */
    void prefaceRead(int bytes) {
        prefaceRead = bytes;
    }

    @Override
    FieldBlock block(@Nullable Stream stream, int mostTrailerBytes, int mostFields) {
        return new RequestFields(stream == null ? heads.requestHeadBytes() : mostTrailerBytes, mostFields);
    }

    @Override
    void unopened(FrameHead head, FieldBlock fields) {
        if (head.stream() > newest) {
            newStream(head, (RequestFields) fields);
        } else {
            late(head);
        }
    }

    @Override
    void opened(FrameHead head, Stream stream, FieldBlock fields) {
        trailers(head, stream, fields);
    }

    private void newStream(FrameHead head, RequestFields fields) {
        newest = head.stream();
        Stream stream = new Stream();
        stream.ended = head.has(FrameHead.END_STREAM);
        if (newest > last || streams.size() >= limits.streams()) {
            // RFC 9113 section 5.1.2
            closed.add(newest, stream.ended ? Cause.BY_PEER : Cause.RESET_HERE);
            if (!floods(Kind.REFUSAL)) {
                handler.reset(newest, REFUSED_STREAM);
            }
            return;
        }
        streams.put(newest, stream);
        HeaderMap fieldsOfRequest = fields.request();
        stream.missing = fieldsOfRequest == null ? -1 : fields.contentLength();
        if (fieldsOfRequest == null || block.isOnItself() || (stream.ended && stream.missing > 0)) {
            malformed(newest, fields);
            return;
        }
        stream.window = streamWindow;
        stream.tunnel = fields.protocol() != null;
        handler.request(newest, fields, fieldsOfRequest, stream.ended);
    }

    @Override
    void malformed(int stream, String why) {
        malformed(stream, (RequestFields) null);
    }

    private void malformed(int stream, @Nullable RequestFields head) {
        if (!floods(Kind.RESET)) {
            wasReset(stream);
            handler.malformed(stream, head);
        }
    }

    /** Refuses all later streams; returns the last one that isn't refused. */
    int refuse() {
        last = Math.min(last, newest);
        return last;
    }

    /** The last stream that may have been processed; once announced it never rises (RFC 9113 section 6.8). */
    int lastStream() {
        return Math.min(last, newest);
    }
}
