package io.webproxy.undertow.http2;

import io.undertow.util.HeaderMap;
import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.http2.ClosedStreams.Cause;
import org.jspecify.annotations.Nullable;

/** Reads the frames of an upstream, on the streams that this side opens with requests. Not thread-safe. */
final class ResponseReader extends FrameReader {
    private static final int MOST_INTERIM = 32;
    private static final int OK = 200;
    private static final int REDIRECTION = 300;
    private static final int NO_CONTENT = 204;
    private static final int NOT_MODIFIED = 304;

    /** Handles an upstream's frames. */
    interface Handler extends FrameReader.Handler {
        /** A 1xx head has arrived (RFC 9110 section 15.2). */
        void interim(int stream, int status, HeaderMap fields);

        /**
         * The final head has arrived.
         *
         * @param end whether the response ends with it
         */
        void response(int stream, int status, HeaderMap fields, boolean end);

        /** The response of a stream is malformed: tell the upstream that the stream is reset. */
        void malformed(int stream, String why);

        /** The head of a response exceeds a limit: tell the upstream that the stream is reset. */
        void tooLarge(int stream, String limit);
    }

    private static final class Awaited extends Stream {
        /** No body follows, whatever the fields say: the request was HEAD, or the status allows none. */
        private boolean bodiless;

        private final boolean tunnelRequest;
        private boolean responded;
        private int interim;

        Awaited(boolean isHead, boolean isTunnel, int window) {
            this.bodiless = isHead;
            this.tunnelRequest = isTunnel;
            this.window = window;
        }
    }

    private final Handler handler;
    private final int mostHeadBytes;
    private final int mostFields;

    /** A reader for a new connection. */
    ResponseReader(Handler handler, HttpLimits heads, FloodMeter meter) {
        super(handler, meter, false, heads.responseHeadBytes(), heads.fields());
        this.handler = handler;
        this.mostHeadBytes = heads.responseHeadBytes();
        this.mostFields = heads.fields();
    }

    /**
     * A request opens a stream, whose number is the highest so far.
     *
     * @param isHead whether the method is HEAD
     * @param isTunnel whether it is an extended CONNECT
     * @param streamWindow the announced initial window of the stream
     */
    void opened(int stream, boolean isHead, boolean isTunnel, int streamWindow) {
        newest = stream;
        streams.put(stream, new Awaited(isHead, isTunnel, streamWindow));
    }

    @Override
    FieldBlock block(@Nullable Stream stream, int mostTrailerBytes, int most) {
        boolean responded = stream == null || ((Awaited) stream).responded;
        return new ResponseFields(responded ? mostTrailerBytes : mostHeadBytes, most);
    }

    @Override
    void unopened(FrameHead head, FieldBlock fields) {
        late(head);
    }

    @Override
    void opened(FrameHead head, Stream stream, FieldBlock fields) {
        Awaited awaited = (Awaited) stream;
        if (awaited.responded || awaited.ended) {
            trailers(head, stream, fields);
        } else {
            head(head, awaited, (ResponseFields) fields);
        }
    }

    private void head(FrameHead head, Awaited stream, ResponseFields fields) {
        int id = head.stream();
        stream.ended = head.has(FrameHead.END_STREAM);
        if (fields.isTooLarge()) {
            wasReset(id);
            handler.tooLarge(id, "the response head is above " + mostHeadBytes + " bytes or " + mostFields + " fields");
        } else if (!fields.isHead()) {
            malformed(id, "the response head is malformed");
        } else if (fields.status() < OK) {
            interim(id, stream, fields);
        } else {
            stream.responded = true;
            stream.tunnel = stream.tunnelRequest && fields.status() < REDIRECTION;
            stream.bodiless |= fields.status() == NO_CONTENT || fields.status() == NOT_MODIFIED;
            // RFC 9110 section 8.6
            stream.missing = stream.bodiless || stream.tunnel ? -1 : fields.contentLength();
            if (stream.ended && stream.missing > 0) {
                malformed(id, "the response ends with its head, which tells the length of a body");
            } else {
                handler.response(id, fields.status(), fields.fields(), stream.ended);
            }
        }
    }

    private void interim(int id, Awaited stream, ResponseFields fields) {
        if (stream.ended) {
            malformed(id, "the response ends with an interim one");
        } else if (++stream.interim > MOST_INTERIM) {
            malformed(id, "more than " + MOST_INTERIM + " interim responses");
        } else {
            handler.interim(id, fields.status(), fields.fields());
        }
    }

    @Override
    @Nullable String wrong(Stream stream, int content, boolean end) {
        Awaited awaited = (Awaited) stream;
        if (!awaited.responded) {
            return "a response body without a head";
        }
        if (awaited.bodiless && content > 0) {
            return "a body of a response that can't have one";
        }
        return super.wrong(stream, content, end);
    }

    @Override
    void malformed(int stream, String why) {
        wasReset(stream);
        handler.malformed(stream, why);
    }

    /**
     * Also true for streams that closed longer ago than is remembered: a client that leaves may have reset any number
     * of them.
     */
    @Override
    boolean isLate(Cause cause) {
        return cause != Cause.BY_PEER;
    }

    /** Resets of open streams can't be a flood: this side has opened them. */
    @Override
    boolean isCounted(int stream) {
        return streams.get(stream) == null;
    }
}
