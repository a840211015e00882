package io.webproxy.undertow.endpoint;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.undertow.util.PooledAdaptor;
import io.webproxy.tls.ClientHello;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import io.webproxy.undertow.observe.AddressText;
import io.webproxy.undertow.observe.FlightEvents;
import io.webproxy.undertow.tls.HelloRefused;
import io.webproxy.undertow.tls.ServerTls;
import io.webproxy.undertow.tls.TlsAcceptor;
import io.webproxy.undertow.tls.TlsChallenges;
import java.io.IOException;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.conduits.ConduitStreamSourceChannel;
import org.xnio.conduits.PushBackStreamSourceConduit;
import org.xnio.ssl.SslConnection;

/**
 * The TLS handshake of a connection whose ClientHello was read: ends when TLS is open and the ALPN protocol (RFC 7301)
 * is known, or when an ACME challenge is answered. Not thread-safe: it belongs to the connection's IO thread.
 */
final class TlsStart extends Watched {
    private static final Logger LOG = LoggerFactory.getLogger(TlsStart.class);

    /** How long the rest of a handshake may take when the endpoint closes. */
    private static final long LEAVE_NANOS = 1_000_000_000L;

    private final ClientConnection client;
    private final StreamConnection raw;
    private final TlsAcceptor tls;
    private final ClientHello hello;
    private final boolean challenge;
    private final Sweeper sweeper;
    private final ByteBufferPool buffers;
    private final Outcome outcome;
    private final long started;
    private long deadline;
    private final HeldRoom.Share share;
    private @Nullable PooledByteBuffer read;
    private @Nullable SslConnection secure;
    private boolean handshaken;
    private boolean done;

    /** The outcome; exactly one method is called, once, after the time limit of the handshake is off. */
    interface Outcome {
        /**
         * TLS is open.
         *
         * @param protocol agreed on by ALPN; empty for none
         * @param early bytes that were read already, which the receiver owns; null for none
         */
        void opened(SslConnection secure, String protocol, @Nullable PooledByteBuffer early);

        /** It is about to be closed; {@code failed}: because the handshake failed. */
        void closing(boolean failed);

        /** Something unexpected was thrown; the socket may still be open, and TLS over it is closed afterwards. */
        void failed();
    }

    /**
     * A handshake that hasn't started.
     *
     * @param deadline in the sweeper's nanoseconds
     * @param read everything that was read from the connection; closed by this
     */
    TlsStart(
            ClientConnection client,
            TlsAcceptor tls,
            ClientHello hello,
            Sweeper sweeper,
            long deadline,
            PortTools tools,
            PooledByteBuffer read,
            Outcome outcome) {
        this.client = client;
        this.raw = client.connection();
        this.tls = tls;
        this.hello = hello;
        this.challenge = TlsChallenges.isChallenge(hello);
        this.sweeper = sweeper;
        this.started = sweeper.now();
        this.deadline = deadline;
        this.buffers = tools.buffers();
        this.share = tools.held().share();
        this.read = HeldBytes.unpooled(read);
        this.outcome = outcome;
    }

    /** Waits for its turn: an engine has descriptors and native memory, and its first step costs a signature. */
    void start(HandshakeTurns turns) {
        PooledByteBuffer waiting = read;
        if (waiting != null && !share.hold(waiting.getBuffer().remaining())) {
            client.refused();
            close(false);
            return;
        }
        sweeper.watch(this);
        client.onLeave(() -> deadline = Math.min(deadline, sweeper.now() + LEAVE_NANOS));
        turns.run(() -> guarded("the start of a TLS handshake", this::handshake));
    }

    /** Runs a step; what it throws ends only this connection. */
    private void guarded(String place, Runnable step) {
        Guard.run(place, step, () -> {
            finish();
            try {
                outcome.failed();
            } finally {
                IoUtils.safeClose(secure);
            }
        });
    }

    private void handshake() {
        PooledByteBuffer all = read;
        read = null;
        share.free();
        if (done || all == null) {
            return;
        }
        ConduitStreamSourceChannel source = raw.getSourceChannel();
        PushBackStreamSourceConduit replay = new PushBackStreamSourceConduit(source.getConduit());
        source.setConduit(replay);
        try {
            SslConnection wrapped = tls.wrap(raw, hello);
            secure = wrapped;
            client.securedBy(wrapped);
            replay.pushBack(new PooledAdaptor(all));
            negotiate(wrapped);
        } catch (HelloRefused e) {
            LOG.debug("{} is refused: {}", AddressText.of(raw.getPeerAddress()), e.getMessage());
            sendAlert(raw, e.alert());
            close(true);
        }
    }

    /** Sends a fatal alert in a cleartext record (RFC 8446 sections 5.1 and 6), if that doesn't block. */
    static void sendAlert(StreamConnection connection, int code) {
        try {
            connection.getSinkChannel().write(ByteBuffer.wrap(new byte[] {21, 3, 3, 0, 2, 2, (byte) code}));
        } catch (IOException e) {
            // closed already
        }
    }

    private void negotiate(SslConnection wrapped) {
        SSLEngine engine = UndertowXnioSsl.getSslEngine(wrapped);
        Runnable negotiation = () -> guarded("a TLS handshake", () -> negotiate(wrapped, engine));
        wrapped.getHandshakeSetter().set(finished -> {
            handshaken = true;
            IoTasks.execute(sweeper.thread(), negotiation);
        });
        wrapped.getSourceChannel().setReadListener(ready -> negotiation.run());
        wrapped.getSourceChannel().resumeReads();
        negotiation.run();
    }

    private void negotiate(SslConnection wrapped, SSLEngine engine) {
        if (done) {
            return;
        }
        PooledByteBuffer buffer = buffers.allocate();
        boolean kept = false;
        try {
            int count = wrapped.getSourceChannel().read(buffer.getBuffer());
            if (count < 0) {
                close(true);
                return;
            }
            if (count == 0 && !handshaken) {
                // the protocol may be known already, but the client's certificate isn't checked yet
                return;
            }
            if (challenge) {
                if (engine.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING) {
                    farewell(wrapped);
                }
                return;
            }
            finish();
            String version = engine.getSession().getProtocol();
            boolean resumed = ServerTls.isResumed(engine);
            client.handshaken(version, resumed);
            wrapped.getSourceChannel().suspendReads();
            wrapped.getSourceChannel().setReadListener(null);
            // keeps nothing of the handshake for the connection's life
            wrapped.getHandshakeSetter().set(null);
            buffer.getBuffer().flip();
            kept = count > 0;
            String protocol = engine.getApplicationProtocol() == null ? "" : engine.getApplicationProtocol();
            FlightEvents.handshake(false, version, protocol, resumed, sweeper.now() - started);
            outcome.opened(wrapped, protocol, kept ? buffer : null);
        } catch (IOException e) {
            LOG.debug("TLS with {} failed: {}", AddressText.of(raw.getPeerAddress()), e.getMessage());
            close(true);
        } finally {
            if (!kept) {
                buffer.close();
            }
        }
    }

    /** RFC 8737 section 3: the certificate is the whole answer. */
    private void farewell(SslConnection answered) throws IOException {
        answered.getSinkChannel().shutdownWrites();
        answered.getSinkChannel().flush();
        close(false);
    }

    private void finish() {
        done = true;
        sweeper.forget(this);
        share.free();
        PooledByteBuffer unread = read;
        if (unread != null) {
            read = null;
            unread.close();
        }
    }

    private void close(boolean counts) {
        finish();
        if (counts) {
            client.handshakeFailed();
            FlightEvents.handshake(true, "", "", false, sweeper.now() - started);
        }
        try {
            outcome.closing(counts);
        } finally {
            IoUtils.safeClose(secure);
            IoUtils.safeClose(raw);
        }
    }

    @Override
    protected long deadline() {
        return deadline;
    }

    @Override
    protected void expired(long now) {
        close(true);
    }

    @Override
    protected void seen(long now) {
        if (!raw.isOpen()) {
            close(true);
        }
    }

    @Override
    protected void cut() {
        close(false);
    }
}
