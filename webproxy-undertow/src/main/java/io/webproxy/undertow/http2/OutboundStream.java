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
     * Hears the events of a stream, on its IO thread. Exactly one of {@link #ended} and {@link #failed} comes last;
     * after a {@link #reset} nothing follows.
     */
    public interface Listener {
        /** Bytes of the request body were sent. */
        void bytesTaken(long bytes);

        /** The request body doesn't have the announced length; the stream is reset. */
        void requestWrong(String problem);

        /** A 1xx head has arrived (RFC 9110 section 15.2). */
        void interim(int status, HeaderMap fields);

        /**
         * The final head has arrived, and is well-formed.
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
        /** The upstream has executed nothing of the request (RFC 9113 section 8.7), or never received its head. */
        REFUSED,
        /** The connection has ended. */
        CLOSED,
        /** The upstream has reset the stream. */
        RESET,
        /** The response, or the connection, breaks the protocol. */
        INVALID,
        /** The response head exceeds a limit. */
        HEAD_TOO_LARGE,
        /** A started head wasn't completed in time. */
        TOO_SLOW
    }

    private final OutboundConnection connection;
    private final Listener listener;
    private final ResponseSource source;
    private final int firstWindow;
    private @Nullable RequestSink sink;
    private @Nullable HeaderMap trailers;
    private int id;
    /** Where the request head ends in the output. */
    private long headEnd;
    /** How many bytes the upstream may still send. */
    private long window;
    /** How far that and the waiting bytes exceed the initial window. */
    private long grown;

    private boolean released;

    /** It has reserved one of the connection's streams, and has no number yet. */
    private boolean reserved = true;

    private long resetCode = -1;
    private boolean responded;
    /** The listener has had its last call. */
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
     * @param head writes the fields; its exception is rethrown, and then nothing was sent
     * @param end whether there is no body
     */
    public void send(Consumer<RequestBlock> head, boolean end) {
        connection.opener().send(this, head, end);
    }

    /** The sink for the request body; after {@link #send}. {@code trailers} is read at its end, and may return null. */
    public StreamSinkConduit body(Supplier<@Nullable HeaderMap> trailersOfRequest) {
        sink().trailers(trailersOfRequest);
        return sink();
    }

    /** The source of the response body; after {@link Listener#head}. */
    public StreamSourceConduit response() {
        return source;
    }

    /**
     * Turns both directions into a connection, after the upstream has accepted an extended CONNECT (RFC 8441). Closing
     * it resets the stream unless both directions have ended. The listener isn't called any more.
     */
    public StreamConnection tunnel() {
        over = true;
        return new StreamTunnel(connection.socket(), this, () -> reset(ErrorCode.CANCEL));
    }

    /** Whether the upstream has taken all of the body received so far, and more is to come. */
    public boolean isAwaitingBody() {
        return sink != null && sink.isAwaitingBody();
    }

    /**
     * Resets the stream, unless it is over, with an error code of RFC 9113 section 7; the listener isn't called any
     * more. Idempotent.
     */
    public void reset(int code) {
        over = true;
        connection.reset(this, code);
        breakOff(true);
    }

    /** The error code of the upstream's reset (RFC 9113 section 7), or -1. */
    public long resetCode() {
        return resetCode;
    }

    // --- called by the connection ---

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

    /** Whether its head has left the output, given the number of bytes written. */
    boolean isTaken(long written) {
        return written >= headEnd;
    }

    /** Gives up the stream that it had reserved; false if there is none. */
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

    /** So many bytes have arrived. */
    void received(int bytes) {
        window -= bytes;
    }

    /** Counts how far waiting and expected bytes exceed the initial window. */
    void count() {
        if (!released) {
            long now = Math.max(0, window + source.waiting() - firstWindow);
            connection.windows().grown(now - grown);
            grown = now;
        }
    }

    private void release() {
        connection.windows().grown(-grown);
        grown = 0;
        released = true;
    }

    /**
     * By how much to update the upstream's window, 0 if that isn't worthwhile.
     *
     * @param growth by how much the window may exceed its initial size
     * @param room by how much the windows of all streams may grow
     */
    int due(long growth, long room) {
        int waiting = source.waiting();
        // a client that keeps up may get a larger window; for a slow one it stays, or shrinks to its initial size
        long more = waiting == 0 ? Math.min(growth, grown + room) : 0;
        long due = firstWindow + more - waiting - window;
        if (due < firstWindow / 4) {
            return 0;
        }
        window += due;
        count();
        return (int) due;
    }

    /** The whole response was read. */
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

    /** Stops both directions; {@code all}: even a complete response won't be read. */
    private void breakOff(boolean all) {
        if (sink != null) {
            sink.breakOff();
        }
        if (all || !source.isEnded()) {
            source.breakOff();
            release();
        }
    }

    /** The stream has failed; no effect on a complete response. */
    void fail(Failure failure, String detail) {
        breakOff(false);
        if (!over && !source.isEnded()) {
            over = true;
            Guard.run("the failure of an HTTP/2 stream", () -> listener.failed(failure, detail));
        }
    }
}
