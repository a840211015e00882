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
 * An HTTP/2 connection to an upstream, in the client's role (RFC 9113). Each request is a stream; a stream that the
 * upstream, or the client whose request it is, doesn't care for holds no other up.
 *
 * <p>Not thread-safe: it belongs to its IO thread.
 */
public final class OutboundConnection extends Http2Link<OutboundStream> {
    private static final Logger LOG = LoggerFactory.getLogger(OutboundConnection.class);

    /** What floods: an upstream sends for many clients at once, and is known. */
    private static final Http2Limits FLOODS = Http2Limits.defaults()
            .withResets(1000)
            .withPings(2000)
            .withEmptyData(5000)
            .withWindowUpdates(10_000);

    private static final int SETTINGS_ENABLE_PUSH = 2;
    private static final long PING = 0x7765_6270_616c_6976L;

    /** What the pool hears of a connection, on its IO thread. */
    public interface Owner {
        /** The upstream's first settings have come. */
        void settled();

        /** {@link #room} may have changed: a stream has ended, or the upstream's limit is another. */
        void roomChanged();

        /** There is no room from now on; the streams under way go on. Comes at most once. */
        void leaving();

        /** The socket is closed; every stream has been told before. */
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
     * A connection over a socket that is connected, and over which nothing was sent.
     *
     * @param reads what stands on the socket
     * @param heads what a response head may be at most
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

    /** Whether the upstream takes extended CONNECT (RFC 8441); only known when its settings have come. */
    public boolean isExtendedConnect() {
        return frames.isExtendedConnect();
    }

    /** Whether the upstream has answered the preface as a server of HTTP/1.1 does. */
    public boolean isHttp11() {
        return answer.isHttp11();
    }

    /** Whether the upstream has sent what isn't HTTP/2. */
    public boolean isInvalid() {
        return isHttp11() || failure == Failure.INVALID;
    }

    /** How many streams are open. */
    public int streams() {
        return opener.count();
    }

    /** Whether the socket is open. */
    public boolean isOpen() {
        return !closed && socket.isOpen();
    }

    /** Opens a stream, which takes a place from now on; it is to be sent, or reset. */
    public OutboundStream open(OutboundStream.Listener listener) {
        return opener.open(listener);
    }

    /**
     * Reads what has come, to see whether the upstream has gone.
     *
     * @return whether streams can be opened
     */
    public boolean probe() {
        reads.look();
        turns.look();
        return isOpen() && !leaving;
    }

    /** Takes it out of service: there is no room any more, and it ends with its last stream. Idempotent. */
    public void leave() {
        leaving = true;
        endIfIdle();
    }

    /** Closes it; streams under way fail. Idempotent. */
    public void close() {
        leaving = true;
        closeNow();
    }

    // --- the way out ---

    /** A piece of a request body has gone out. */
    void sent() {
        meter.asked();
    }

    /** A stream is too late: its request can be sent over another connection. */
    void refuse(OutboundStream stream) {
        later(() -> stream.fail(Failure.REFUSED, reason));
        endIfIdle();
    }

    /** Ends a stream, and tells the upstream if it doesn't know. */
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

    /** A stream of this side needn't be known any more. */
    private void over(OutboundStream stream) {
        streams.remove(stream.id());
        opener.roomChanged();
        endIfIdle();
    }

    /** Request and response are complete, if they are. */
    void completed(OutboundStream stream) {
        if (stream.source().isEnded() && stream.sink().isEnded() && isOpen(stream)) {
            reader.completed(stream.id());
            over(stream);
        }
    }

    /** All of a response was read: what is left of the request is for nothing (RFC 9113 section 8.1). */
    void responseRead(OutboundStream stream) {
        if (!stream.sink().isEnded()) {
            reset(stream, ErrorCode.NO_ERROR);
            stream.sink().breakOff();
        }
    }

    // --- the way in ---

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

    /** There is no memory for what a stream brings: its client takes less than the upstream sends. */
    void overflowed(OutboundStream stream) {
        fail(stream, ErrorCode.CANCEL, Failure.CLOSED, "there is no memory for the response body");
    }

    /** Ends a stream because of the upstream, or of what it has sent. */
    void fail(OutboundStream stream, int code, Failure why, String detail) {
        if (isOpen(stream)) {
            reader.wasReset(stream.id());
            sendReset(stream.id(), code);
        }
        fail(stream, why, detail);
    }

    /** The same for a stream that the upstream knows to be over. */
    void fail(OutboundStream stream, Failure why, String detail) {
        over(stream);
        stream.fail(why, detail);
    }

    /** The upstream takes no streams after {@code last}. */
    void left(int last, int code) {
        LOG.debug("An upstream leaves an HTTP/2 connection with code {}, after stream {}", code, last);
        reason = "the upstream left the connection: " + ErrorCode.name(code);
        takeOut();
        for (OutboundStream stream : streams.all()) {
            if (stream.id() > last) {
                reader.wasReset(stream.id());
                // one that has answered, if only that it works on it, has not refused, whatever it says now
                fail(stream, stream.isResponded() ? Failure.RESET : Failure.REFUSED, reason);
            }
        }
        endIfIdle();
    }

    // --- ends ---

    /** There is no room any more, and the owner doesn't know. */
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

    /** Whether it takes no streams any more. */
    boolean isLeaving() {
        return leaving;
    }

    boolean isEnding() {
        return ending;
    }

    /** Ends it at once for something that the upstream has not done in time. */
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
            // its request may be sent to another upstream: this one must not get it any more
            sender().stop();
        }
        streams.all().forEach(this::lost);
        if (sender().isStopped()) {
            closeNow();
        }
    }

    /** Also called again for one that knows. */
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
     * What the upstream has said before it went is heard: answers that are complete, and which requests it has done
     * nothing for.
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
