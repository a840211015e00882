package io.webproxy.undertow.http2;

import io.undertow.util.HeaderMap;
import io.webproxy.undertow.deadline.Guard;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;

/**
 * One request to an upstream and its response, as a stream of an HTTP/2 connection.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
public final class OutboundStream implements LinkStream {
    /**
     * What is heard of a stream, on its IO thread. Exactly one of {@link #ended} and {@link #failed} is the last; after
     * a {@link #reset} there is nothing more.
     */
    public interface Listener {
        /** Bytes of the request body have gone out. */
        void bytesTaken(long bytes);

        /** The request body hadn't the length that the head tells; the stream is reset. */
        void requestWrong(String problem);

        /** A 1xx head has come (RFC 9110 section 15.2). */
        void interim(int status, HeaderMap fields);

        /**
         * The final head has come, and is well-formed.
         *
         * @param end whether no body follows
         */
        void head(int status, HeaderMap fields, boolean end);

        /** Bytes of the response body were read. */
        void bytes(long bytes);

        /** The response body pauses. */
        void paused();

        /** The response body was read to its end; {@code trailers} may be empty. */
        void ended(HeaderMap trailers);

        /** There will be no response, or no more of it. */
        void failed(Failure failure, String detail);
    }

    /** Why a stream has failed. */
    public enum Failure {
        /** The upstream has done nothing for the request (RFC 9113 section 8.7), or has never had its head. */
        REFUSED,
        /** The connection has ended. */
        CLOSED,
        /** The upstream has reset the stream. */
        RESET,
        /** The response, or the connection, breaks the protocol. */
        INVALID,
        /** The response head is above a limit. */
        HEAD_TOO_LARGE,
        /** A head that had begun was not complete in time. */
        TOO_SLOW
    }

    private final OutboundConnection connection;
    private final Listener listener;
    private final ResponseSource source;
    private final int firstWindow;
    private @Nullable RequestSink sink;
    private @Nullable HeaderMap trailers;
    private int id;
    /** Where in the output the request head ends. */
    private long headEnd;
    /** What the upstream may still send. */
    private long window;
    /** What it and what waits to be read have beyond the first size of the window. */
    private long grown;

    private boolean released;

    /** It has a place of the connection, and no number yet. */
    private boolean reserved = true;

    private long resetCode = -1;
    private boolean responded;
    /** The listener has heard the last. */
    private boolean over;

    OutboundStream(OutboundConnection connection, Listener listener, int firstWindow) {
        this.connection = connection;
        this.listener = listener;
        this.source = new ResponseSource(connection, this);
        this.firstWindow = firstWindow;
        this.window = firstWindow;
    }

    /**
     * Sends the request head.
     *
     * @param head writes the fields; what it throws is thrown on, and nothing was sent then
     * @param end whether there is no body
     */
    public void send(Consumer<RequestBlock> head, boolean end) {
        connection.send(this, head, end);
    }

    /**
     * Where the request body goes; after {@link #send}. {@code trailers} is asked when it has ended, and may give null.
     */
    public StreamSinkConduit body(Supplier<@Nullable HeaderMap> trailersOfRequest) {
        sink().trailers(trailersOfRequest);
        return sink();
    }

    /** Where the response body comes from; after {@link Listener#head}. */
    public StreamSourceConduit response() {
        return source;
    }

    /**
     * Makes both directions a connection of its own, after the upstream has granted an extended CONNECT (RFC 8441); its
     * close resets the stream unless both have ended. The listener hears nothing more.
     */
    public StreamConnection tunnel() {
        over = true;
        return new StreamTunnel(connection.socket(), this, () -> reset(ErrorCode.CANCEL));
    }

    /** Whether the upstream has taken all of the request body that has come, and more is to come. */
    public boolean isAwaitingBody() {
        return sink != null && sink.isAwaitingBody();
    }

    /**
     * Ends the stream, unless it is over, with an error code of RFC 9113 section 7; the listener hears nothing more.
     * Idempotent.
     */
    public void reset(int code) {
        over = true;
        connection.reset(this, code);
        breakOff(true);
    }

    /** The error code of RFC 9113 section 7 by which the upstream has reset the stream, or -1. */
    public long resetCode() {
        return resetCode;
    }

    // --- what the connection does with it ---

    void resetBy(int code) {
        resetCode = Integer.toUnsignedLong(code);
    }

    /** Its head is in the output. */
    void sent(int number, RequestSink body, long end) {
        id = number;
        sink = body;
        headEnd = end;
    }

    @Override
    public int id() {
        return id;
    }

    @Override
    public StreamSource source() {
        return source;
    }

    @Override
    public RequestSink sink() {
        return Objects.requireNonNull(sink, "sink");
    }

    @Override
    public void failed() {
        connection.fail(this, ErrorCode.INTERNAL_ERROR, Failure.INVALID, "an internal error");
        if (!over) {
            over = true;
            breakOff(true);
            Guard.run("the failure of an HTTP/2 stream", () -> listener.failed(Failure.INVALID, "an internal error"));
        }
    }

    /** Whether its head has left the output, when so many bytes have. */
    boolean isTaken(long written) {
        return written >= headEnd;
    }

    /** Gives back the place that it was opened with; false if it has none any more. */
    boolean takePlace() {
        boolean had = reserved;
        reserved = false;
        return had;
    }

    boolean isResponded() {
        return responded;
    }

    void bytesTaken(long bytes) {
        connection.sent();
        if (!over) {
            listener.bytesTaken(bytes);
        }
    }

    void bytesRead(long bytes) {
        if (!over) {
            listener.bytes(bytes);
        }
    }

    void paused() {
        if (!over) {
            listener.paused();
        }
    }

    void interim(int status, HeaderMap fields) {
        responded = true;
        listener.interim(status, fields);
    }

    void head(int status, HeaderMap fields, boolean end) {
        responded = true;
        if (end) {
            source.end();
        }
        listener.head(status, fields, end);
    }

    void trailers(HeaderMap fields) {
        trailers = fields;
        source.end();
    }

    /** So many bytes have come. */
    void received(int bytes) {
        window -= bytes;
    }

    /** Counts what waits, and may still come, beyond the first size of the window. */
    void count() {
        if (!released) {
            long now = Math.max(0, window + source.waiting() - firstWindow);
            connection.grown(now - grown);
            grown = now;
        }
    }

    private void release() {
        connection.grown(-grown);
        grown = 0;
        released = true;
    }

    /**
     * How much the upstream may send beyond what it may already, 0 if that isn't worth telling.
     *
     * @param growth by how much the window may be larger than at first
     * @param room by how much the windows of all streams may grow
     */
    int due(long growth, long room) {
        int waiting = source.waiting();
        // who keeps up may have more; who doesn't is left with what it has, down to what there was at first
        long more = waiting == 0 ? Math.min(growth, grown + room) : 0;
        long due = firstWindow + more - waiting - window;
        if (due < firstWindow / 4) {
            return 0;
        }
        window += due;
        count();
        return (int) due;
    }

    /** All of the response was read. */
    void responseRead() {
        if (!over) {
            over = true;
            release();
            connection.responseRead(this);
            listener.ended(trailers == null ? new HeaderMap() : trailers);
        }
    }

    void requestEnded() {
        connection.completed(this);
    }

    void requestWrong(String problem) {
        boolean told = over;
        reset(ErrorCode.CANCEL);
        if (!told) {
            listener.requestWrong(problem);
        }
    }

    /** Nothing goes or comes any more; {@code all}: and a response that is complete won't be read either. */
    private void breakOff(boolean all) {
        if (sink != null) {
            sink.breakOff();
        }
        if (all || !source.isEnded()) {
            source.breakOff();
            release();
        }
    }

    /** It has failed; has no effect on a response that is complete. */
    void fail(Failure failure, String detail) {
        breakOff(false);
        if (!over && !source.isEnded()) {
            over = true;
            Guard.run("the failure of an HTTP/2 stream", () -> listener.failed(failure, detail));
        }
    }
}
