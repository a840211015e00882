package io.webproxy.undertow.port;

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
import io.webproxy.undertow.sniff.ClientHelloParser;
import io.webproxy.undertow.sniff.Peeked;
import io.webproxy.undertow.sniff.ProtocolSniffer;
import io.webproxy.undertow.tls.HelloRefused;
import io.webproxy.undertow.tls.TlsChallenges;
import io.webproxy.undertow.tls.TlsFront;
import java.io.IOException;
import java.net.InetSocketAddress;
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
 * A new connection until its protocol is known: HTTP in clear or TLS by the first bytes, HTTP/1.1 or HTTP/2 by ALPN (RFC 7301), within one
 * limit. What was read is replayed to the protocol. Not thread-safe: it belongs to the connection's IO thread.
 */
public final class FirstBytes extends Watched {
    private static final Logger LOG = LoggerFactory.getLogger(FirstBytes.class);

    /** How long a client that has not even asked yet is waited for when the endpoint goes away. */
    private static final long LEAVE_NANOS = 1_000_000_000L;

    private final Arrival arrival;
    private final StreamConnection raw;
    private final Sweeper sweeper;
    private final ByteBufferPool buffers;
    private final TlsFront tls;
    private final HandshakeTurns turns;
    private final Protocols protocols;
    private long deadline;
    private final HeldBytes held = new HeldBytes();
    private final ClientHelloParser hello = new ClientHelloParser();
    private int parsed;
    private @Nullable PooledByteBuffer pooled;
    private @Nullable SslConnection secure;
    private boolean challenge;
    private boolean done;

    /** Where a connection goes when it is known what it speaks. */
    public interface Protocols {
        /** HTTP in clear on a port that speaks TLS; the buffer holds what was read. */
        void clear(Arrival arrival, StreamConnection connection, @Nullable PooledByteBuffer read);

        /** HTTP/1.1 over TLS. */
        void http1(Arrival arrival, StreamConnection connection, @Nullable PooledByteBuffer read);

        /** HTTP/2 over TLS. */
        void http2(Arrival arrival, StreamConnection connection, @Nullable PooledByteBuffer read);
    }

    /** A connection that has just been accepted; {@code limitNanos} is for all of it. */
    public FirstBytes(
            Arrival arrival,
            Sweeper sweeper,
            long limitNanos,
            ByteBufferPool buffers,
            TlsFront tls,
            HandshakeTurns turns,
            Protocols protocols) {
        this.arrival = arrival;
        this.raw = arrival.connection();
        this.sweeper = sweeper;
        this.buffers = buffers;
        this.tls = tls;
        this.turns = turns;
        this.protocols = protocols;
        this.deadline = sweeper.now() + limitNanos;
    }

    /** Starts to read. */
    public void start() {
        sweeper.watch(this);
        arrival.onLeave(() -> deadline = Math.min(deadline, sweeper.now() + LEAVE_NANOS));
        raw.getSourceChannel().setReadListener(ready -> guarded("reading the first bytes", this::sniff));
        guarded("reading the first bytes", this::sniff);
    }

    /** What is thrown here ends this connection and nothing else. */
    private void guarded(String place, Runnable step) {
        Guard.run(place, step, this::fail);
    }

    private void fail() {
        try {
            arrival.fail();
        } finally {
            close();
        }
    }

    private void sniff() {
        if (done) {
            return;
        }
        PooledByteBuffer buffer = held.restored(buffers);
        pooled = buffer;
        ByteBuffer bytes = buffer.getBuffer();
        try {
            int read = raw.getSourceChannel().read(bytes);
            if (read < 0) {
                close();
                return;
            }
            bytes.flip();
            switch (ProtocolSniffer.sniff(bytes)) {
                case UNDECIDED -> await(buffer);
                case TLS -> hello(buffer);
                case HTTP -> {
                    finish();
                    raw.getSourceChannel().suspendReads();
                    protocols.clear(arrival, raw, buffer);
                }
                case UNKNOWN -> close();
            }
        } catch (IOException e) {
            close();
        }
    }

    /** Waits for more bytes, holding no more memory than those that have come need. */
    private void await(PooledByteBuffer read) {
        held.hold(read.getBuffer());
        read.close();
        pooled = null;
        raw.getSourceChannel().resumeReads();
    }

    /** An engine has descriptors and native memory: only who has sent a whole hello gets one. */
    private void hello(PooledByteBuffer read) throws IOException {
        ByteBuffer news = read.getBuffer().duplicate().position(parsed);
        parsed = news.limit();
        Peeked peeked = hello.feed(news);
        if (peeked == Peeked.More.MORE) {
            await(read);
        } else if (peeked instanceof Peeked.Malformed malformed) {
            LOG.debug("{} sent {}", AddressText.of(raw.getPeerAddress()), malformed.reason());
            refuse(malformed.alert());
        } else if (peeked instanceof Peeked.ClientHello said) {
            raw.getSourceChannel().suspendReads();
            held.hold(read.getBuffer());
            read.close();
            pooled = null;
            InetSocketAddress local = raw.getLocalAddress(InetSocketAddress.class);
            if (local == null) {
                close();
            } else {
                ClientHello forChoice = Offer.of(said, local);
                turns.run(() -> guarded("the start of a TLS handshake", () -> handshake(forChoice)));
            }
        }
    }

    private void refuse(int alert) {
        try {
            raw.getSinkChannel().write(alert(alert));
        } catch (IOException e) {
            // gone already
        }
        close();
    }

    /** A fatal alert in a record in clear (RFC 8446 sections 5.1 and 6). */
    private static ByteBuffer alert(int code) {
        return ByteBuffer.wrap(new byte[] {21, 3, 3, 0, 2, 2, (byte) code});
    }

    private void handshake(ClientHello said) {
        if (done) {
            return;
        }
        PooledByteBuffer read = held.restored(buffers);
        read.getBuffer().flip();
        ConduitStreamSourceChannel source = raw.getSourceChannel();
        source.setReadListener(null);
        PushBackStreamSourceConduit replay = new PushBackStreamSourceConduit(source.getConduit());
        source.setConduit(replay);
        challenge = TlsChallenges.isChallenge(said);
        SslConnection wrapped = null;
        try {
            wrapped = tls.wrap(raw, said);
        } catch (HelloRefused e) {
            LOG.debug("{} is refused: {}", AddressText.of(raw.getPeerAddress()), e.getMessage());
            refuse(e.alert());
        } finally {
            if (wrapped == null) {
                read.close();
            }
        }
        if (wrapped != null) {
            secure = wrapped;
            handshake(wrapped, replay, read);
        }
    }

    private void handshake(SslConnection wrapped, PushBackStreamSourceConduit replay, PooledByteBuffer read) {
        replay.pushBack(new PooledAdaptor(read));
        SSLEngine engine = UndertowXnioSsl.getSslEngine(wrapped);
        Runnable negotiation = () -> guarded("a TLS handshake", () -> negotiate(wrapped, engine));
        wrapped.getHandshakeSetter().set(finished -> IoTasks.execute(sweeper.thread(), negotiation));
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
            int read = wrapped.getSourceChannel().read(buffer.getBuffer());
            if (read < 0) {
                close();
                return;
            }
            String protocol = engine.getApplicationProtocol();
            boolean decided =
                    protocol != null && (!protocol.isEmpty() || read > 0 || engine.getHandshakeSession() == null);
            if (read == 0 && !decided) {
                return;
            }
            if (challenge) {
                if (engine.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING) {
                    farewell(wrapped);
                }
                return;
            }
            finish();
            wrapped.getSourceChannel().suspendReads();
            wrapped.getSourceChannel().setReadListener(null);
            // nothing of the connection's begin is kept for its life
            wrapped.getHandshakeSetter().set(null);
            buffer.getBuffer().flip();
            kept = read > 0;
            PooledByteBuffer early = kept ? buffer : null;
            if ("h2".equals(protocol)) {
                protocols.http2(arrival, wrapped, early);
            } else {
                protocols.http1(arrival, wrapped, early);
            }
        } catch (IOException e) {
            LOG.debug("TLS with {} failed: {}", AddressText.of(raw.getPeerAddress()), e.getMessage());
            close();
        } finally {
            if (!kept) {
                buffer.close();
            }
        }
    }

    /** RFC 8737 section 3: what the certificate says is all there is to say. */
    private void farewell(SslConnection answered) throws IOException {
        answered.getSinkChannel().shutdownWrites();
        answered.getSinkChannel().flush();
        close();
    }

    private void finish() {
        done = true;
        arrival.settled();
        sweeper.forget(this);
    }

    private void close() {
        finish();
        if (pooled != null) {
            pooled.close();
            pooled = null;
        }
        IoUtils.safeClose(secure);
        IoUtils.safeClose(raw);
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
    protected void seen(long now) {
        if (!raw.isOpen()) {
            close();
        }
    }

    @Override
    protected void cut() {
        close();
    }
}
