package io.webproxy.undertow.tunnel;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import io.webproxy.undertow.sniff.ClientHelloParser;
import io.webproxy.undertow.sniff.Peeked;
import io.webproxy.undertow.sniff.TunnelMark;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.conduits.ConduitStreamSourceChannel;
import org.xnio.conduits.PushBackStreamSourceConduit;

/**
 * A new connection of a port that has nothing but tunnels, until it is known whose it is. Not thread-safe: it belongs
 * to the connection's IO thread.
 */
final class FirstFrame extends Watched {
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final byte[] NONE = new byte[0];

    private final Incoming incoming;
    private final StreamConnection connection;
    private final PublicSide side;
    private final Sweeper sweeper;
    private final ByteBufferPool buffers;
    private final ClientHelloParser hello = new ClientHelloParser();
    private final long deadline;
    private byte[] held = NONE;
    private boolean done;

    FirstFrame(Incoming incoming, PublicSide side, Sweeper sweeper, ByteBufferPool buffers) {
        this.incoming = incoming;
        this.connection = incoming.connection();
        this.side = side;
        this.sweeper = sweeper;
        this.buffers = buffers;
        this.deadline = sweeper.now() + LIMIT_NANOS;
    }

    void start() {
        sweeper.watch(this);
        incoming.onLeave(this::close);
        connection.getSourceChannel().setReadListener(ready -> guarded());
        guarded();
    }

    private void guarded() {
        Guard.run("reading the first bytes", this::read, this::close);
    }

    private void read() {
        if (done) {
            return;
        }
        try (PooledByteBuffer pooled = buffers.allocate()) {
            ByteBuffer bytes = pooled.getBuffer();
            int read = connection.getSourceChannel().read(bytes);
            if (read < 0) {
                close();
                return;
            }
            if (read == 0) {
                connection.getSourceChannel().resumeReads();
                return;
            }
            bytes.flip();
            int before = held.length;
            held = Arrays.copyOf(held, before + read);
            bytes.get(held, before, read);
            decide(before);
        } catch (IOException e) {
            close();
        }
    }

    private void decide(int before) {
        ByteBuffer all = ByteBuffer.wrap(held);
        if (TunnelMark.mayBeData(all)) {
            finish();
            side.data(incoming, all);
            return;
        }
        Peeked peeked = hello.feed(ByteBuffer.wrap(held, before, held.length - before));
        if (peeked == Peeked.More.MORE) {
            connection.getSourceChannel().resumeReads();
        } else if (peeked instanceof Peeked.Malformed malformed) {
            refuse(malformed.alert());
        } else if (peeked instanceof Peeked.ClientHello said) {
            if (said.protocols().contains(TunnelMark.PROTOCOL)) {
                finish();
                replay();
                side.control(incoming);
            } else if (side.serves(said)) {
                finish();
                side.client(incoming, said, all);
            } else {
                refuse(TlsAlert.UNRECOGNIZED_NAME);
            }
        }
    }

    private void replay() {
        ConduitStreamSourceChannel source = connection.getSourceChannel();
        PushBackStreamSourceConduit replay = new PushBackStreamSourceConduit(source.getConduit());
        source.setConduit(replay);
        replay.pushBack(new HeapPooled(ByteBuffer.wrap(held)));
    }

    private void refuse(int alert) {
        try {
            connection.getSinkChannel().write(TlsAlert.of(alert));
        } catch (IOException e) {
            // gone already
        }
        close();
    }

    private void finish() {
        done = true;
        sweeper.forget(this);
        connection.getSourceChannel().suspendReads();
        connection.getSourceChannel().setReadListener(null);
    }

    private void close() {
        if (!done) {
            finish();
            incoming.settled();
            IoUtils.safeClose(connection);
        }
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
        if (!connection.isOpen()) {
            close();
        }
    }

    @Override
    protected void cut() {
        close();
    }
}
