package io.webproxy.undertow.exchange;

import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpServerConnection;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.conduits.ConduitStreamSourceChannel;
import org.xnio.conduits.StreamSourceConduit;

/** The client's side over HTTP/1.1. */
final class Http1Leg implements ClientLeg {
    private static final long LINGER_NANOS = 2_000_000_000L;
    private static final long LINGER_BYTES = 1 << 20;

    private final Exchange exchange;
    private final HttpServerExchange http;
    private final HttpServerConnection connection;
    private final @Nullable HeadGate gate;
    private boolean watching;
    private boolean halfClosed;
    private boolean closed;

    Http1Leg(Exchange exchange, HttpServerConnection connection) {
        this.exchange = exchange;
        this.http = exchange.http();
        this.connection = connection;
        this.gate = connection.getOriginalSourceConduit() instanceof HeadGate found ? found : null;
        http.addExchangeCompleteListener((completed, next) -> {
            if (gate != null && !exchange.isHeld()) {
                nextHead(gate);
            }
            next.proceed();
        });
    }

    private void nextHead(HeadGate before) {
        PooledByteBuffer early = connection.getExtraBytes();
        before.next(early);
        if (early != null && !early.getBuffer().hasRemaining()) {
            connection.setExtraBytes(null);
            early.close();
        }
    }

    @Override
    public @Nullable HeadProblem headProblem() {
        return gate == null ? null : gate.problem();
    }

    @Override
    public boolean isLeaving() {
        return gate != null && gate.isLeaving();
    }

    @Override
    public Exchange exchange() {
        return exchange;
    }

    @Override
    public void sending(long bytes) {
        // the socket says when it is full
    }

    @Override
    public boolean isWithoutWindow() {
        return false;
    }

    @Override
    public boolean isMultiplexed() {
        return false;
    }

    @Override
    public void abort() {
        if (closed) {
            return;
        }
        closed = true;
        exchange.closing();
        try {
            connection.getChannel().setOption(Options.CLOSE_ABORT, true);
        } catch (IOException | IllegalArgumentException e) {
            // a plain close is what is left
        }
        IoUtils.safeClose(connection);
        terminate();
    }

    private void terminate() {
        http.setPersistent(false);
        Connectors.terminateRequest(http);
        Connectors.terminateResponse(http);
        exchange.end();
    }

    @Override
    public void finishEarly() {
        if (!closed) {
            closed = true;
            exchange.end();
            new Linger().start();
        }
    }

    @Override
    public void watchForAbort(Runnable onGone) {
        if (watching || halfClosed || closed || !http.isRequestComplete() || connection.getExtraBytes() != null) {
            return;
        }
        watching = true;
        ConduitStreamSourceChannel source = connection.getChannel().getSourceChannel();
        source.setReadListener(channel -> look(channel, onGone));
        source.resumeReads();
    }

    private void look(ConduitStreamSourceChannel source, Runnable onGone) {
        if (!watching) {
            source.suspendReads();
            return;
        }
        PooledByteBuffer pooled = connection.getByteBufferPool().allocate();
        boolean kept = false;
        try {
            ByteBuffer buffer = pooled.getBuffer();
            int read;
            try {
                read = connection.getOriginalSourceConduit().read(buffer);
                halfClosed = read < 0 && exchange.route().halfClose();
            } catch (IOException e) {
                read = -1;
            }
            if (read < 0) {
                unwatch();
                if (halfClosed) {
                    exchange.closing();
                } else {
                    onGone.run();
                }
            } else if (read > 0) {
                // the next request, early: it waits its turn
                unwatch();
                buffer.flip();
                connection.ungetRequestBytes(pooled);
                kept = true;
            }
        } finally {
            if (!kept) {
                pooled.close();
            }
        }
    }

    @Override
    public void unwatch() {
        if (watching) {
            watching = false;
            ConduitStreamSourceChannel source = connection.getChannel().getSourceChannel();
            source.setReadListener(null);
            source.suspendReads();
        }
    }

    /**
     * Reads and throws away what a client still sends behind a complete response, so that the kernel doesn't reset the connection
     * before the client has read it (RFC 9112 section 9.6): for at most 2 s and 1 MiB.
     */
    private final class Linger extends Watched {
        private final StreamConnection channel = connection.getChannel();
        private final StreamSourceConduit raw = connection.getOriginalSourceConduit();
        private final Sweeper sweeper = exchange.shared().sweeper(http.getIoThread());
        private final long deadline = sweeper.now() + LINGER_NANOS;
        private long drained;

        void start() {
            try {
                connection.getOriginalSinkConduit().terminateWrites();
                connection.getOriginalSinkConduit().flush();
            } catch (IOException e) {
                close();
                return;
            }
            sweeper.watch(this);
            ConduitStreamSourceChannel source = channel.getSourceChannel();
            source.setConduit(raw);
            source.setReadListener(ready -> drain());
            source.resumeReads();
            drain();
        }

        private void drain() {
            try (PooledByteBuffer pooled = connection.getByteBufferPool().allocate()) {
                ByteBuffer buffer = pooled.getBuffer();
                int read = 1;
                while (read > 0 && drained < LINGER_BYTES) {
                    buffer.clear();
                    read = raw.read(buffer);
                    drained += Math.max(read, 0);
                }
                if (read != 0) {
                    close();
                }
            } catch (IOException e) {
                close();
            }
        }

        private void close() {
            sweeper.forget(this);
            IoUtils.safeClose(connection);
            terminate();
        }

        @Override
        protected long deadline() {
            return deadline;
        }

        @Override
        protected void expired(long now) {
            close();
        }

        @Override
        protected void cut() {
            close();
        }
    }
}
