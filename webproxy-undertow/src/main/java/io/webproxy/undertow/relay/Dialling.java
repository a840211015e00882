package io.webproxy.undertow.relay;

import io.undertow.connector.PooledByteBuffer;
import io.webproxy.observe.ForwardError;
import io.webproxy.observe.RelayEnd;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.Watched;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.conduits.ConduitStreamSourceChannel;

/**
 * A relay that isn't connected yet: tries its targets one after the other, within one limit. Meanwhile it reads the
 * client up to one pooled buffer, only to notice that it leaves: a reset ends the attempt within 100 ms. The end of the
 * client's direction may be a half-close, so the attempt then has one more second.
 *
 * <p>Not thread-safe: it belongs to the client's IO thread.
 */
final class Dialling extends Watched {
    /** How long a client is served that has ended its direction. */
    private static final long ENDED_NANOS = 1_000_000_000L;

    private static final byte[] NONE = {};

    private final Relaying relaying;
    private final RelayClient client;
    private final StreamConnection left;
    private final long deadline;
    private List<RelayTarget> targets = List.of();
    private int next;
    private Dialer.@Nullable Attempt attempt;
    private byte[] early = NONE;
    private boolean listening;
    private boolean leftEnded;
    private long leftEndedAt;
    private boolean done;

    Dialling(Relaying relaying, RelayClient client) {
        this.relaying = relaying;
        this.client = client;
        this.left = client.connection();
        long now = relaying.sweeper().now();
        this.deadline = now + relaying.rule().settings().connectTime().toNanos();
    }

    RelayClient client() {
        return client;
    }

    void start() {
        // not before: a refused connection must not use up the retry of an ejected target
        targets = relaying.rule()
                .order(relaying.relays().ejection(), relaying.sweeper().now());
        relaying.sweeper().watch(this);
        dial();
    }

    /** Starts to read the client; only after the first sweep, because most targets are connected by then. */
    private void listen() {
        listening = true;
        ConduitStreamSourceChannel source = left.getSourceChannel();
        source.setReadListener(ready -> Guard.run("the wait for a target", this::look, relaying::fail));
        source.resumeReads();
    }

    private void dial() {
        long now = relaying.sweeper().now();
        RelayTarget target = next(now);
        relaying.tries(target);
        // the last target has all that is left, the others a fair part of it
        long share = Math.max(1, (deadline - now) / (targets.size() - next + 1));
        InetAddress source = relaying.rule().settings().loopbackSource()
                ? relaying.relays().loopback().of(client.client().getAddress())
                : null;
        Dialer.Call call = new Dialer.Call(
                client.client(),
                client.local(),
                relaying.rule().settings().proxyProtocol().orElse(null),
                source,
                Duration.ofNanos(share));
        int number = next;
        Dialer.Attempt started = target.dialled().connect(relaying.sweeper(), call, new Dialer.Callback() {
            @Override
            public void connected(StreamConnection right) {
                Guard.run("opening a relay", () -> Dialling.this.connected(target, right), relaying::fail);
            }

            @Override
            public void failed(ForwardError error, String detail) {
                Guard.run("connecting to a target", () -> Dialling.this.failed(target, error, detail), relaying::fail);
            }
        });
        if (!done && number == next) {
            attempt = started;
        }
    }

    /** An ejected target is skipped for others, unless its time is up and this connection tries it again. */
    private RelayTarget next(long now) {
        for (int i = next; i < targets.size() - 1; i++) {
            if (targets.get(next).ejection().allows(relaying.relays().ejection(), now)) {
                break;
            }
            targets.add(targets.remove(next));
        }
        return targets.get(next++);
    }

    private void failed(RelayTarget target, ForwardError error, String detail) {
        attempt = null;
        if (done) {
            return;
        }
        if (error == ForwardError.POOL_EXHAUSTED) {
            relaying.refuse(RelayEnd.REFUSED_SHORTAGE);
            return;
        }
        long now = relaying.sweeper().now();
        if (target.ejection().failed(relaying.relays().ejection(), now)) {
            relaying.rule().ejected(target, detail);
        }
        if (next < targets.size() && deadline - now > 0) {
            dial();
        } else {
            relaying.unreachable(detail);
        }
    }

    private void connected(RelayTarget target, StreamConnection right) {
        attempt = null;
        if (done) {
            IoUtils.safeClose(right);
            return;
        }
        if (target.ejection().isEjected(relaying.relays().ejection())) {
            relaying.rule().isBack(target);
        }
        target.ejection().succeeded();
        stop();
        boolean taken = false;
        try {
            relaying.connected(right, early.length == 0 ? null : new EarlyBytes(ByteBuffer.wrap(early)), leftEnded);
            taken = true;
        } finally {
            if (!taken) {
                IoUtils.safeClose(right);
            }
        }
    }

    /** Reads what the client has sent, as far as there is room. */
    private void look() {
        ConduitStreamSourceChannel source = left.getSourceChannel();
        if (done || leftEnded) {
            source.suspendReads();
            return;
        }
        int room = relaying.relays().buffers().getBufferSize() - early.length;
        if (room <= 0) {
            source.suspendReads();
            return;
        }
        try (PooledByteBuffer pooled = relaying.relays().buffers().allocate()) {
            ByteBuffer buffer = pooled.getBuffer().limit(room);
            int read = 1;
            while (read > 0 && buffer.hasRemaining()) {
                read = source.read(buffer);
            }
            buffer.flip();
            byte[] all = Arrays.copyOf(early, early.length + buffer.remaining());
            buffer.get(all, early.length, buffer.remaining());
            early = all;
            if (read < 0) {
                leftEnded = true;
                leftEndedAt = relaying.sweeper().now();
                source.suspendReads();
            }
        } catch (IOException e) {
            relaying.end(RelayEnd.CLIENT_LEFT, "");
        }
    }

    /** Ends the attempt; idempotent. */
    void stop() {
        if (!done) {
            done = true;
            relaying.sweeper().forget(this);
            left.getSourceChannel().suspendReads();
            left.getSourceChannel().setReadListener(null);
            Dialer.Attempt open = attempt;
            attempt = null;
            if (open != null) {
                open.cancel();
            }
        }
    }

    @Override
    protected long deadline() {
        return leftEnded ? leftEndedAt + ENDED_NANOS : Long.MAX_VALUE;
    }

    @Override
    protected void expired(long now) {
        relaying.end(RelayEnd.CLIENT_LEFT, "");
    }

    /** The attempt has its own limit; this notices that the server itself has closed the client's connection. */
    @Override
    protected void seen(long now) {
        if (!left.isOpen()) {
            relaying.cut();
        } else if (!listening) {
            listen();
        }
    }

    @Override
    protected void cut() {
        relaying.cut();
    }
}
