package io.webproxy.undertow.exchange;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.protocols.http2.AbstractHttp2StreamSourceChannel;
import io.undertow.protocols.http2.Http2Channel;
import io.undertow.protocols.http2.Http2RstStreamStreamSourceChannel;
import io.undertow.protocols.http2.Http2StreamSourceChannel;
import io.undertow.server.Connectors;
import io.undertow.server.ServerConnection;
import io.undertow.server.protocol.framed.FrameHeaderData;
import io.undertow.util.AttachmentKey;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.xnio.ChannelListener;
import org.xnio.ChannelListeners;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;
import org.xnio.channels.StreamSourceChannel;

/**
 * An HTTP/2 connection of a client that knows which exchange each stream carries: so that one can be reset with the right code, and that
 * an exchange hears when its stream or the connection goes away.
 */
public final class Http2Front extends Http2Channel {
    private static final int DEFAULT_WINDOW = 65_535;
    private static final long LINGER_NANOS = 2_000_000_000L;
    private static final AttachmentKey<Http2Front> KEY = AttachmentKey.create(Http2Front.class);

    private final Map<Integer, Leg> legs = new HashMap<>();
    private long sendWindow = DEFAULT_WINDOW;
    private int unopenedWindow;
    private int newest;
    private int unfinishedResets;
    private boolean deciding;
    private boolean swallowed;

    /** A front on a connection; {@code data} is what was read already, or null. */
    public Http2Front(
            StreamConnection connection, ByteBufferPool buffers, @Nullable PooledByteBuffer data, OptionMap options) {
        super(connection, "h2", buffers, data, false, false, options);
        putAttachment(KEY, this);
        addCloseTask(closed -> List.copyOf(legs.values()).forEach(Leg::gone));
    }

    /** The front that a request came through, or null if it came over HTTP/1.1. */
    static @Nullable Http2Front of(ServerConnection connection) {
        return connection.getAttachment(KEY);
    }

    /**
     * Starts to read requests.
     *
     * @param window how much a client may send before it must wait, in bytes: the setting is for each stream; the connection's own window, which
     *     Undertow leaves at 65,535 (RFC 9113 section 6.9.2), is opened as far
     */
    public void receive(ChannelListener<? super Http2Channel> requests, int window) {
        unopenedWindow = window - DEFAULT_WINDOW;
        getReceiveSetter().set(requests);
        resumeReceives();
    }

    /** Whether no exchange is in flight. */
    public boolean isIdle() {
        return legs.isEmpty();
    }

    @Override
    protected AbstractHttp2StreamSourceChannel createChannelImpl(FrameHeaderData header, PooledByteBuffer data)
            throws IOException {
        deciding = true;
        swallowed = false;
        AbstractHttp2StreamSourceChannel created;
        try {
            created = super.createChannelImpl(header, data);
        } finally {
            deciding = false;
        }
        if (unopenedWindow > 0) {
            // the first frame of the client has come, so our settings, which must be first, are out
            int more = unopenedWindow;
            unopenedWindow = 0;
            sendUpdateWindowSize(0, more);
        }
        if (swallowed) {
            // the frame is dropped, but it has used the connection's window (RFC 9113 section 5.1)
            sendUpdateWindowSize(0, (int) header.getFrameLength());
        }
        if (created instanceof Http2StreamSourceChannel stream) {
            newest = stream.getStreamId();
        } else if (created instanceof Http2RstStreamStreamSourceChannel reset) {
            Leg leg = legs.get(reset.getStreamId());
            if (leg != null) {
                IoTasks.execute(getIoThread(), leg::gone);
            }
        }
        return created;
    }

    /**
     * Undertow takes the last DATA frame of a stream that we have reset for a protocol error of the whole connection. A client may have sent it before
     * the reset arrived (RFC 9113 section 5.4.2), so one is let through for each such stream.
     */
    @Override
    public void sendGoAway(int status) {
        if (deciding && status == ERROR_PROTOCOL_ERROR && unfinishedResets > 0) {
            unfinishedResets--;
            swallowed = true;
        } else {
            super.sendGoAway(status);
        }
    }

    /** Undertow keeps a head back as long as there is no window for the body bytes behind it; so somebody has to know whether there is one. */
    @Override
    public void handleWindowUpdate(int stream, int delta) throws IOException {
        if (stream == 0) {
            sendWindow += delta;
        }
        super.handleWindowUpdate(stream, delta);
    }

    /** The leg of the exchange whose request head was delivered last; to be called before any other frame is read. */
    ClientLeg leg(Exchange exchange) {
        Leg leg = new Leg(exchange, newest);
        legs.put(newest, leg);
        return leg;
    }

    /** The client's side over HTTP/2. */
    private final class Leg implements ClientLeg {
        private final Exchange exchange;
        private final int stream;
        private final Linger linger;
        private @Nullable Runnable onGone;
        private boolean closed;
        private boolean reset;

        Leg(Exchange exchange, int stream) {
            this.exchange = exchange;
            this.stream = stream;
            this.linger = new Linger(this, exchange.shared().nanoClock());
            exchange.http().addExchangeCompleteListener((completed, next) -> {
                legs.remove(stream);
                sweeper().forget(linger);
                next.proceed();
            });
        }

        @Override
        public Exchange exchange() {
            return exchange;
        }

        @Override
        public void sending(long bytes) {
            sendWindow -= bytes;
        }

        /** What a reset stream had not sent any more counts too: that errs to the side of heads that go alone. */
        @Override
        public boolean isWithoutWindow() {
            return sendWindow <= 0 || getInitialSendWindowSize() <= 0;
        }

        @Override
        public boolean isMultiplexed() {
            return true;
        }

        @Override
        public void abort() {
            close(ERROR_INTERNAL_ERROR);
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
                sweeper().watch(linger);
            }
        }

        private Sweeper sweeper() {
            return exchange.shared().sweeper(getIoThread());
        }

        private void close(int code) {
            if (!closed) {
                closed = true;
                legs.remove(stream);
                sweeper().forget(linger);
                if (!reset) {
                    if (!exchange.http().isRequestComplete()) {
                        unfinishedResets++;
                    }
                    sendRstStream(stream, code);
                }
                Connectors.terminateRequest(exchange.http());
                Connectors.terminateResponse(exchange.http());
                exchange.end();
            }
        }

        void gone() {
            reset = true;
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
