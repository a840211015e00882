package io.webproxy.undertow.http2;

import io.undertow.connector.ByteBufferPool;
import io.webproxy.http.Http2Limits;
import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.SocketReads;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.http2.OutboundStream.Failure;
import java.nio.ByteBuffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.StreamConnection;

/**
 * An HTTP/2 connection to an upstream, in the client's role (RFC 9113). Each request is a stream; a stream that is
 * stalled by the upstream or by its client doesn't stop others.
 *
 * <p>Not thread-safe: it belongs to its IO thread.
 */
public final class OutboundConnection extends Http2Link<OutboundStream> {
    private static final Logger LOG = LoggerFactory.getLogger(OutboundConnection.class);

    /** Limits against floods: an upstream sends for many clients at once, and is known. */
    private static final Http2Limits FLOODS = Http2Limits.defaults()
            .withResets(1000)
            .withPings(2000)
            .withEmptyData(5000)
            .withWindowUpdates(10_000);

    private static final int SETTINGS_ENABLE_PUSH = 2;
    private static final long PING = 0x7765_6270_616c_6976L;

    /** Hears the events of a connection, on its IO thread. */
    public interface Owner {
        /** The upstream's first settings have arrived. */
        void settled();

        /** {@link #room} may have changed: a stream has ended, or the upstream has changed its limit. */
        void roomChanged();

        /** There is no room from now on; streams in progress continue. Called at most once. */
        void leaving();

        /** The socket is closed; all streams were told before. */
        void closed();
    }

    private final SocketReads reads;
    private final Owner owner;
    private final HttpLimits heads;
    private final ResponseReader reader;
    private final OutboundWait wait;
    private final ResponseFrames frames = new ResponseFrames(this);
    private final StreamOpener opener;
    private final OutboundWindows windows;
    private final PrefaceAnswer answer = new PrefaceAnswer();
    private final ResetAllowance resets;
    private final int streamWindow;

    private boolean leaving;
    private Failure failure = Failure.CLOSED;
    private String reason = "the upstream closed the connection";

    /**
     * A connection over a connected socket, on which nothing was sent yet.
     *
     * @param reads the reads of the socket
     * @param heads the limits of response heads
     * @param mostStreams how many streams may be open at once, whatever the upstream allows
     */
    public OutboundConnection(
            StreamConnection socket,
            SocketReads reads,
            ByteBufferPool buffers,
            Exchanges exchanges,
            HttpLimits heads,
            int mostStreams,
            Owner owner) {
        super(
                socket,
                reads.readableAfterFailure(socket.getSinkChannel().getConduit()),
                buffers,
                exchanges,
                FLOODS,
                OutboundWindows.first(exchanges.bodies(), buffers));
        this.streamWindow = OutboundWindows.first(exchanges.bodies(), buffers);
        this.reads = reads;
        this.owner = owner;
        this.heads = heads;
        this.reader = new ResponseReader(frames, heads, meter);
        this.opener = new StreamOpener(this, owner, reader, mostStreams, streamWindow);
        this.windows = new OutboundWindows(this, growth);
        this.resets = new ResetAllowance(sweeper.now());
        this.wait = new OutboundWait(this, reader, heads.headTime().toNanos(), sweeper.now());
    }

    /** Sends preface and settings, and starts to read. */
    public void start() {
        socket.setCloseListener(over -> closed());
        sweeper.watch(wait);
        output.preface();
        output.settings(
                SETTINGS_ENABLE_PUSH,
                0,
                SETTINGS_INITIAL_WINDOW_SIZE,
                streamWindow,
                SETTINGS_MAX_HEADER_LIST_SIZE,
                headerListSize(heads.responseHeadBytes(), heads.fields()));
        windows.start();
        turns.start(null);
    }

    /** How many streams may be opened now. */
    public int room() {
        return leaving || closed ? 0 : opener.room();
    }

    /** Whether the upstream supports extended CONNECT (RFC 8441); known when its settings have arrived. */
    public boolean isExtendedConnect() {
        return frames.isExtendedConnect();
    }

    /** Whether the upstream has answered the preface in HTTP/1.1. */
    public boolean isHttp11() {
        return answer.isHttp11();
    }

    /** Whether the upstream has sent something other than HTTP/2. */
    public boolean isInvalid() {
        return isHttp11() || failure == Failure.INVALID;
    }

    /** Number of open streams. */
    public int streams() {
        return opener.count();
    }

    /** Whether the socket is open. */
    public boolean isOpen() {
        return !closed && socket.isOpen();
    }

    /** Opens a stream, which counts from now on; the caller must send or reset it. */
    public OutboundStream open(OutboundStream.Listener listener) {
        return opener.open(listener);
    }

    /**
     * Reads available bytes, to notice whether the upstream has closed.
     *
     * @return whether streams can be opened
     */
    public boolean probe() {
        reads.look();
        turns.look();
        return isOpen() && !leaving;
    }

    /** Takes it out of service: opens no more streams, and ends with the last one. Idempotent. */
    public void leave() {
        leaving = true;
        endIfIdle();
    }

    /** Closes it; streams in progress fail. Idempotent. */
    public void close() {
        leaving = true;
        closeNow();
    }

    // --- sending ---

    /** A piece of a request body was sent. */
    void sent() {
        meter.asked();
    }

    /** A stream came too late: its request can be sent on another connection. */
    void refuse(OutboundStream stream) {
        later(() -> stream.fail(Failure.REFUSED, reason));
        endIfIdle();
    }

    /** Resets a stream, and tells the upstream if it doesn't know yet. */
    void reset(OutboundStream stream, int code) {
        if (!opener.takePlace(stream) && isOpen(stream)) {
            reader.wasReset(stream.id());
            sendReset(stream.id(), code);
            if (resets.isExceeded(sweeper.now())) {
                takeOut();
            }
        }
        over(stream);
    }

    /** A stream can be forgotten. */
    private void over(OutboundStream stream) {
        streams.remove(stream.id());
        opener.roomChanged();
        endIfIdle();
    }

    /** Ends a stream if its request and response are complete. */
    void completed(OutboundStream stream) {
        if (stream.source().isEnded() && stream.sink().isEnded() && isOpen(stream)) {
            reader.completed(stream.id());
            over(stream);
        }
    }

    /** A response was read completely: the rest of its request isn't needed (RFC 9113 section 8.1). */
    void responseRead(OutboundStream stream) {
        if (!stream.sink().isEnded()) {
            reset(stream, ErrorCode.NO_ERROR);
            stream.sink().breakOff();
        }
    }

    // --- receiving ---

    @Override
    ResponseReader reader() {
        return reader;
    }

    @Override
    void settled() {
        owner.settled();
    }

    @Override
    void read(ByteBuffer bytes) {
        wait.heard(sweeper.now());
        answer.read(bytes);
    }

    OutboundWait waiting() {
        return wait;
    }

    ResponseFrames frames() {
        return frames;
    }

    StreamOpener opener() {
        return opener;
    }

    OutboundWindows windows() {
        return windows;
    }

    void ping() {
        output.frame(FrameHead.PING, 0, 0, PING);
        turns.touch();
    }

    /** There is no memory for received bytes: the client reads more slowly than the upstream sends. */
    void overflowed(OutboundStream stream) {
        fail(stream, ErrorCode.CANCEL, Failure.CLOSED, "there is no memory for the response body");
    }

    /** Fails a stream because of the upstream, or of what it has sent. */
    void fail(OutboundStream stream, int code, Failure why, String detail) {
        if (isOpen(stream)) {
            reader.wasReset(stream.id());
            sendReset(stream.id(), code);
        }
        fail(stream, why, detail);
    }

    /** Fails a stream that the upstream already considers closed. */
    void fail(OutboundStream stream, Failure why, String detail) {
        over(stream);
        stream.fail(why, detail);
    }

    /** The upstream accepts no streams after {@code last}. */
    void left(int last, int code) {
        LOG.debug("An upstream closes an HTTP/2 connection with code {}, after stream {}", code, last);
        reason = "the upstream left the connection: " + ErrorCode.name(code);
        takeOut();
        for (OutboundStream stream : streams.all()) {
            if (stream.id() > last) {
                reader.wasReset(stream.id());
                // an upstream that has answered, even by an interim response, hasn't refused, whatever GOAWAY says
                fail(stream, stream.isResponded() ? Failure.RESET : Failure.REFUSED, reason);
            }
        }
        endIfIdle();
    }

    // --- ends ---

    /** Tells the owner that there is no room any more, unless it knows. */
    void takeOut() {
        if (!leaving) {
            leaving = true;
            Guard.run("the leave of an HTTP/2 connection", owner::leaving);
        }
    }

    private void endIfIdle() {
        if (leaving && !ending && opener.count() == 0) {
            goAway(ErrorCode.NO_ERROR);
        }
    }

    /** Whether it accepts no more streams. */
    boolean isLeaving() {
        return leaving;
    }

    boolean isEnding() {
        return ending;
    }

    /** Ends it at once because the upstream missed a time limit. */
    void tooSlow(Failure why, String detail) {
        if (!ending) {
            failure = why;
            reason = detail;
            end(ErrorCode.NO_ERROR);
        }
    }

    @Override
    void goAway(int code) {
        if (!ending) {
            if (code != ErrorCode.NO_ERROR) {
                failure = Failure.INVALID;
                reason = "the upstream broke the rules of HTTP/2: " + ErrorCode.name(code);
            }
            end(code);
        }
    }

    private void end(int code) {
        ending = true;
        LOG.debug("An HTTP/2 connection to an upstream ends with code {}: {}", code, reason);
        takeOut();
        reader.end();
        sendGoAway(0, code);
        turns.stopReading();
        boolean waits = false;
        for (OutboundStream stream : streams.all()) {
            waits |= !stream.isTaken(output.written());
        }
        if (waits) {
            // its request may be retried on another upstream: this one must not receive it any more
            sender().stop();
        }
        streams.all().forEach(this::lost);
        if (sender().isStopped()) {
            closeNow();
        }
    }

    /** May be called again for the same stream. */
    @Override
    void lost(OutboundStream stream) {
        streams.remove(stream.id());
        boolean taken = stream.isTaken(output.written()) || stream.isResponded();
        stream.fail(taken ? failure : Failure.REFUSED, reason);
    }

    @Override
    void finish() {
        closeNow();
    }

    /**
     * Evaluates what the upstream sent before it closed: complete responses, and which requests it hasn't processed.
     */
    @Override
    void broken() {
        if (ending) {
            closeNow();
            return;
        }
        sender().stop();
        takeOut();
        reads.look();
        turns.readLast();
    }

    @Override
    void ended() {
        sweeper.forget(wait);
        takeOut();
        Guard.run("the end of an HTTP/2 connection", owner::closed);
    }
}
