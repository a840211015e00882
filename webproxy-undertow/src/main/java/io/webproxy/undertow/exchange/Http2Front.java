package io.webproxy.undertow.exchange;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.protocols.http2.AbstractHttp2StreamSinkChannel;
import io.undertow.protocols.http2.AbstractHttp2StreamSourceChannel;
import io.undertow.protocols.http2.Http2Channel;
import io.undertow.protocols.http2.Http2HeadersStreamSinkChannel;
import io.undertow.protocols.http2.Http2RstStreamStreamSourceChannel;
import io.undertow.protocols.http2.Http2SettingsStreamSourceChannel;
import io.undertow.protocols.http2.Http2StreamSourceChannel;
import io.undertow.server.Connectors;
import io.undertow.server.ServerConnection;
import io.undertow.server.protocol.framed.FrameHeaderData;
import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.util.AttachmentKey;
import io.undertow.util.HeaderMap;
import io.webproxy.http.Http2Limits;
import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Turn;
import io.webproxy.undertow.deadline.Watched;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.ChannelExceptionHandler;
import org.xnio.ChannelListener;
import org.xnio.ChannelListeners;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;
import org.xnio.channels.StreamSourceChannel;

/**
 * An HTTP/2 connection of a client that knows which exchange each stream carries: so that one can be reset with the right code, and that
 * an exchange hears when its stream or the connection goes away. What the client sends passes a {@link FrameGate} first.
 *
 * <p>It is long because what is handed to its parts, the gate, the wait, the leave and the legs, has to be an inner class of Undertow's channel.
 */
public final class Http2Front extends Http2Channel {
    private static final Logger LOG = LoggerFactory.getLogger(Http2Front.class);
    private static final int DEFAULT_WINDOW = 65_535;
    private static final int ERROR_HTTP_1_1_REQUIRED = 0xd;
    private static final long LINGER_NANOS = 2_000_000_000L;
    private static final int IGNORED_BYTES = 256 * 1024;
    private static final int REQUESTS_OF_A_TURN = 16;
    private static final int BAD_REQUEST = 400;
    private static final int LARGEST_WINDOW = 8 << 20;
    private static final Set<Integer> FAULTS_OF_CLIENTS =
            Set.of(ERROR_PROTOCOL_ERROR, ERROR_FLOW_CONTROL_ERROR, ERROR_FRAME_SIZE_ERROR);
    private static final AttachmentKey<Http2Front> KEY = AttachmentKey.create(Http2Front.class);

    private final Map<Integer, Leg> legs = new HashMap<>();
    private final Origin origin;
    private final FloodMeter meter;
    private final FrameGate gate;
    private final int window;
    private final Http2Wait wait;
    private final Http2Leave leave = new Http2Leave(new LeavingConnection());
    private final Exchanges exchanges;
    private final Sweeper sweeper;
    private long sendWindow = DEFAULT_WINDOW;
    private boolean windowOpened;
    private final UploadWindow uploads;
    private int grown;
    private int requestsOfTurn;
    private int newest;
    private @Nullable Http2StreamSourceChannel newestStream;
    /** Bytes of bodies that were let in and that nobody has read yet. */
    private long unread;

    private boolean ending;
    private boolean closing;
    private long ignored;

    /**
     * A front on a connection.
     *
     * @param origin where it comes from
     * @param data what was read already, or null
     * @param window how much a client may send before it must wait, in bytes: the setting is for each stream; the connection's own window, which
     *     Undertow leaves at 65,535 (RFC 9113 section 6.9.2), is opened as far; both grow with fast uploads
     */
    public Http2Front(
            StreamConnection connection,
            Origin origin,
            ByteBufferPool buffers,
            @Nullable PooledByteBuffer data,
            OptionMap options,
            int window,
            HttpLimits heads,
            Http2Limits limits,
            Exchanges exchanges) {
        super(connection, "h2", buffers, data, false, false, options);
        this.origin = origin;
        this.window = window;
        this.exchanges = exchanges;
        this.sweeper = exchanges.sweeper(connection.getIoThread());
        this.meter = new FloodMeter(limits, sweeper::now);
        this.gate = new FrameGate(new GateConnection(), limits, heads, meter, window);
        this.uploads = new UploadWindow(window, LARGEST_WINDOW, sweeper.now());
        this.wait = new Http2Wait(this, gate, heads, sweeper.now());
        putAttachment(KEY, this);
        addCloseTask(closed -> {
            gate.end();
            sweeper.forget(wait);
            List.copyOf(legs.values()).forEach(Leg::gone);
        });
        sweeper.watch(wait);
    }

    /** The front that a request came through, or null if it came over HTTP/1.1. */
    static @Nullable Http2Front of(ServerConnection connection) {
        return connection.getAttachment(KEY);
    }

    Origin origin() {
        return origin;
    }

    /** Starts to read requests. */
    public void receive(ChannelListener<? super Http2Channel> requests) {
        getReceiveSetter().set(channel -> {
            newest = 0;
            // of one stream; the others go on, and the next requests are read
            Guard.run("the start of an HTTP/2 request", () -> requests.handleEvent(channel));
            if (newest != 0 && !legs.containsKey(newest) && gate.isOpen(newest)) {
                // no handler has seen it
                sendRstStream(newest, ERROR_INTERNAL_ERROR);
            }
            takeTurns();
        });
        resumeReceives();
    }

    /** Requests that came in one piece would all start before any other connection of this IO thread is looked at. */
    private void takeTurns() {
        if (newest != 0 && ++requestsOfTurn == REQUESTS_OF_A_TURN) {
            requestsOfTurn = 0;
            suspendReceives();
            IoTasks.executeAfter(getIoThread(), this::resumeReceives, Turn.TLS_REST_MILLIS);
        }
    }

    /** The endpoint goes away: what is in flight ends by itself, what comes late is refused, and then the connection ends. */
    public void leave() {
        if (!ending) {
            leave.start(sweeper.now());
        }
    }

    /** A sweep comes by. */
    void look(long now) {
        if (!ending) {
            leave.look(now);
        }
    }

    @Override
    protected @Nullable FrameHeaderData parseFrame(ByteBuffer data) throws IOException {
        if (ending) {
            ignored += data.remaining();
            data.position(data.limit());
            if (ignored > IGNORED_BYTES) {
                closeNow();
            }
            return null;
        }
        ByteBuffer frame = gate.next(data);
        while (frame != null) {
            FrameHead head = FrameHead.of(frame.duplicate());
            if (head.type() == FrameHead.DATA) {
                letIn(head);
            }
            FrameHeaderData parsed = super.parseFrame(frame);
            if (parsed != null) {
                return parsed;
            }
            frame = gate.next(data);
        }
        int error = gate.takeError();
        if (error >= 0) {
            sendGoAway(error);
        }
        return null;
    }

    @Override
    protected @Nullable AbstractHttp2StreamSourceChannel createChannelImpl(
            FrameHeaderData header, PooledByteBuffer data) throws IOException {
        AbstractHttp2StreamSourceChannel created = super.createChannelImpl(header, data);
        if (!windowOpened) {
            // the client's settings have come, so ours, which must be first, are out
            windowOpened = true;
            sendUpdateWindowSize(0, window - DEFAULT_WINDOW);
        }
        if (created instanceof Http2StreamSourceChannel stream) {
            newest = stream.getStreamId();
            newestStream = stream;
            HeaderMap fields = stream.getHeaders();
            fields.clear();
            gate.takeRequest().forEach(values -> fields.putAll(values.getHeaderName(), values));
        } else if (created instanceof Http2RstStreamStreamSourceChannel reset) {
            gone(reset.getStreamId());
        } else if (created instanceof Http2SettingsStreamSourceChannel) {
            // windows of streams may have grown (RFC 9113 section 6.9.2), which Undertow doesn't look at
            recalculateHeldFrames();
        }
        return created;
    }

    private void letIn(FrameHead data) {
        unread += data.length();
        Leg leg = legs.get(data.stream());
        if (leg != null) {
            leg.letIn += data.length();
            if (data.has(FrameHead.END_STREAM)) {
                leg.requestEnds();
            }
        }
    }

    /** What was let in for a stream that is reset is never read, but has used the connection's window: without this it would be lost. */
    private void giveBack(Leg leg) {
        try {
            updateReceiveFlowControlWindow((int) (leg.letIn - leg.exchange.bytesIn()));
        } catch (IOException e) {
            closeNow();
        }
    }

    @Override
    public void updateReceiveFlowControlWindow(int read) throws IOException {
        // no byte is given back twice
        int back = (int) Math.min(read, unread);
        unread -= Math.max(0, back);
        super.updateReceiveFlowControlWindow(back);
        if (back > 0 && !ending && uploads.read(back, sweeper.now())) {
            sendPing(UploadWindow.payload());
        }
    }

    private void gone(int stream) {
        Leg leg = legs.get(stream);
        if (leg != null) {
            IoTasks.execute(getIoThread(), leg::gone);
        }
    }

    /** Undertow resets streams that are reset already, by either side, when it closes their channels: nothing is sent for those (RFC 9113 section 5.4.2). */
    @Override
    public void sendRstStream(int stream, int code) {
        if (!gate.isOpen(stream)) {
            return;
        }
        gate.wasReset(stream);
        super.sendRstStream(stream, code);
        if (FAULTS_OF_CLIENTS.contains(code) && meter.exceeds(FloodMeter.Kind.RESET)) {
            sendGoAway(ERROR_ENHANCE_YOUR_CALM);
        }
    }

    @Override
    public void sendGoAway(int code, ChannelExceptionHandler<AbstractHttp2StreamSinkChannel> failed) {
        if (!ending) {
            ending = true;
            gate.end();
            LOG.debug("The HTTP/2 connection of {} ends with code {}", origin.client(), code);
        }
        super.sendGoAway(code, failed);
        if (code != ERROR_NO_ERROR) {
            // Conscrypt takes nothing in any more once its own end is said, and closes: who floods on has to wait, with
            // the time to fetch GOAWAY
            suspendReceives();
        }
        for (Leg leg : legs.values()) {
            IoTasks.execute(getIoThread(), leg::gone);
        }
    }

    /** Whether its end was said to the client. */
    boolean isEnding() {
        return ending;
    }

    /**
     * Undertow closes when GOAWAY is written. But a close beside bytes that nobody has read is a TCP reset, which can overtake GOAWAY; so what the
     * client still sends is read for a while, as for HTTP/1.1 (RFC 9112 section 9.6).
     */
    @Override
    public void close() throws IOException {
        if (!ending || closing) {
            super.close();
        }
    }

    /** Closes without waiting for the client. */
    void closeNow() {
        closing = true;
        IoUtils.safeClose(this);
    }

    @Override
    protected void lastDataRead() {
        closing = true;
        super.lastDataRead();
    }

    @Override
    protected void handleBrokenSinkChannel(Throwable e) {
        closing = true;
        super.handleBrokenSinkChannel(e);
    }

    @Override
    public void sendUpdateWindowSize(int stream, int bytes) throws IOException {
        int opened = bytes + growth(stream);
        gate.windowOpened(stream, opened);
        super.sendUpdateWindowSize(stream, opened);
    }

    /** What a window is to grow by when it is opened again. Undertow counts what was read, and so never takes it back. */
    private int growth(int stream) {
        Leg leg = legs.get(stream);
        int growth = uploads.growth();
        int more = 0;
        if (stream == 0) {
            more = growth - grown;
            grown = growth;
        } else if (leg != null) {
            more = growth - leg.grown;
            leg.grown = growth;
        }
        return more;
    }

    /** Undertow keeps a head back as long as there is no window for the body bytes behind it; so somebody has to know whether there is one. */
    @Override
    public void handleWindowUpdate(int stream, int delta) throws IOException {
        if (stream == 0) {
            sendWindow += delta;
        }
        super.handleWindowUpdate(stream, delta);
    }

    /** What the gate asks for. */
    private final class GateConnection implements FrameGate.Connection {
        @Override
        public void reset(int stream, int code) {
            Http2Front.super.sendRstStream(stream, code);
            gone(stream);
        }

        @Override
        public void malformed(int stream, @Nullable FieldBlock head) {
            Leg leg = legs.get(stream);
            boolean answered = leg == null ? head == null : leg.exchange.http().isResponseStarted();
            if (leg != null) {
                leg.exchange.refused(BAD_REQUEST);
            } else if (head != null && exchanges.recorder().isWanted()) {
                exchanges.recorder().ended(RefusedRequest.record(origin.client().getAddress(), head));
            }
            ByteBuffer refusal = answered ? null : RefusalHead.of(stream, gate.settings(), new Date());
            try {
                if (refusal != null) {
                    RawFrames.queue(Http2Front.this, refusal);
                }
                reset(stream, ERROR_PROTOCOL_ERROR);
            } catch (IOException e) {
                closeNow();
            }
        }

        @Override
        public void openWindow(int stream, int bytes) {
            try {
                sendUpdateWindowSize(stream, bytes);
            } catch (IOException e) {
                closeNow();
            }
        }

        @Override
        public void trailers(int stream, HeaderMap trailers) {
            Leg leg = legs.get(stream);
            if (leg != null) {
                leg.exchange.http().putAttachment(HttpAttachments.REQUEST_TRAILERS, trailers);
            }
        }

        @Override
        public void leaving() {
            leave.clientLeaves();
        }

        @Override
        public void pong(ByteBuffer payload) {
            uploads.pong(payload);
            leave.pong(payload, sweeper.now());
        }

        @Override
        public boolean isOpen() {
            return Http2Front.this.isOpen();
        }
    }

    /** What leads it out of service. */
    private final class LeavingConnection implements Http2Leave.Connection {
        @Override
        public boolean isStarted() {
            return gate.phase() != FrameGate.Phase.START;
        }

        @Override
        public boolean isIdle() {
            return legs.isEmpty() && gate.phase() == FrameGate.Phase.IDLE;
        }

        @Override
        public void announce(byte[] ping) {
            goAway(GoAwayFrame.ANY_STREAM);
            sendPing(ping);
        }

        @Override
        public void refuse() {
            goAway(gate.refuse());
        }

        @Override
        public void end() {
            if (isStarted()) {
                sendGoAway(ERROR_NO_ERROR);
            } else {
                closeNow();
            }
        }

        private void goAway(int lastStream) {
            try {
                GoAwayFrame.send(Http2Front.this, lastStream);
            } catch (IOException e) {
                closeNow();
            }
        }
    }

    /** The leg of the exchange whose request head was delivered last; to be called before any other frame is read. */
    ClientStream leg(Exchange exchange) {
        Leg leg = new Leg(exchange, newest);
        legs.put(newest, leg);
        return leg;
    }

    /** The client's side over HTTP/2. */
    private final class Leg implements ClientStream {
        private final Exchange exchange;
        private final int stream;
        private final Linger linger;
        private @Nullable Runnable onGone;
        private final @Nullable Http2StreamSourceChannel source = newestStream;
        private boolean closed;
        private boolean reset;
        private boolean requestWhole;
        private @Nullable CompletableFuture<Boolean> end;
        private long letIn;
        private int grown;

        Leg(Exchange exchange, int stream) {
            this.exchange = exchange;
            this.stream = stream;
            this.requestWhole = gate.hasEnded(stream);
            this.linger = new Linger(this, exchange.shared().nanoClock());
            exchange.http().addExchangeCompleteListener((completed, next) -> {
                legs.remove(stream);
                if (!closed && !gate.isOpen(stream)) {
                    // a reset that came while a frame of the response waited: Undertow ends the exchange by itself
                    exchange.clientLost();
                }
                gate.completed(stream);
                sweeper.forget(linger);
                next.proceed();
            });
        }

        @Override
        public Exchange exchange() {
            return exchange;
        }

        @Override
        public void interim(int status, String reason, HeaderMap fields) throws IOException {
            OutOfBand.send(exchange.http(), status, reason, fields);
        }

        @Override
        public void sending(long bytes) {
            sendWindow -= bytes;
            meter.sent(bytes);
        }

        /** What a reset stream had not sent any more counts too: that errs to the side of heads that go alone. */
        @Override
        public boolean isWithoutWindow() {
            return sendWindow <= 0 || getInitialSendWindowSize() <= 0;
        }

        @Override
        public boolean isLeaving() {
            return leave.isStarted();
        }

        @Override
        public boolean isMultiplexed() {
            return true;
        }

        @Override
        public boolean isRequestWhole() {
            return requestWhole;
        }

        @Override
        public @Nullable CompletionStage<Boolean> endOfEmptyRequest() {
            if (!requestWhole && end == null && exchange.http().getRequestContentLength() == 0) {
                end = new CompletableFuture<>();
            }
            return end;
        }

        private void requestEnds() {
            requestWhole = true;
            if (end != null) {
                end.complete(true);
            }
        }

        @Override
        public void abort() {
            close(ERROR_INTERNAL_ERROR);
        }

        @Override
        public void requireHttp11() {
            close(ERROR_HTTP_1_1_REQUIRED);
        }

        @Override
        public void finishEarly() {
            exchange.end();
            StreamSourceChannel request = exchange.http().getRequestChannel();
            if (request != null) {
                request.getReadSetter()
                        .set(ChannelListeners.drainListener(Long.MAX_VALUE, ended -> {}, (broken, e) -> abort()));
                request.wakeupReads();
            }
            if (!exchange.http().isRequestComplete()) {
                sweeper.watch(linger);
            }
        }

        private void close(int code) {
            if (!closed) {
                closed = true;
                legs.remove(stream);
                sweeper.forget(linger);
                if (!reset) {
                    sendRstStream(stream, code);
                    giveBack(this);
                }
                Connectors.terminateRequest(exchange.http());
                Connectors.terminateResponse(exchange.http());
                exchange.end();
                strip();
            }
        }

        /** Undertow keeps the channels of a stream that was reset for a minute: what hangs on them is let go. */
        private void strip() {
            if (source != null) {
                source.setCompletionListener(null);
                source.setTrailersHandler(null);
                source.getReadSetter().set(null);
                source.getCloseSetter().set(null);
                Http2HeadersStreamSinkChannel sink = source.getResponseChannel();
                sink.setCompletionListener(null);
                sink.setTrailersProducer(null);
                sink.getWriteSetter().set(null);
                sink.getCloseSetter().set(null);
            }
        }

        void gone() {
            if (!reset) {
                reset = true;
                giveBack(this);
            }
            legs.remove(stream);
            Runnable listener = onGone;
            if (listener != null && !exchange.isEnded()) {
                onGone = null;
                listener.run();
            }
        }

        @Override
        public void watchForAbort(Runnable listener) {
            onGone = listener;
            if (reset) {
                gone();
            }
        }

        @Override
        public void unwatch() {
            // a reset is an abort in every phase
        }
    }

    /** A complete response whose request goes on: what the client still sends is thrown away for at most 2 s, then the stream is reset without an error. */
    private static final class Linger extends Watched {
        private final Leg leg;
        private final LongSupplier nanoClock;
        private long since = -1;

        Linger(Leg leg, LongSupplier nanoClock) {
            this.leg = leg;
            this.nanoClock = nanoClock;
        }

        @Override
        protected long deadline() {
            if (since < 0) {
                since = nanoClock.getAsLong();
            }
            return since + LINGER_NANOS;
        }

        @Override
        protected void expired(long now) {
            leg.close(ERROR_NO_ERROR);
        }

        @Override
        protected void cut() {
            leg.close(ERROR_NO_ERROR);
        }
    }
}
