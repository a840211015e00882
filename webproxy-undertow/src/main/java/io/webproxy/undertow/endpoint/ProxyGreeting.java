package io.webproxy.undertow.endpoint;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.util.PooledAdaptor;
import io.webproxy.http.ProxyProtocol;
import io.webproxy.observe.RelayEnd;
import io.webproxy.spi.AddressRange;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.OncePerMinute;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import io.webproxy.undertow.sniff.ProxyHeader;
import io.webproxy.undertow.sniff.ProxyHeaderParser;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.conduits.ConduitStreamSourceChannel;
import org.xnio.conduits.PushBackStreamSourceConduit;

/**
 * Reads the PROXY header at the start of a trusted proxy's connection, which names the client; bytes read after the
 * header are replayed. If the header is malformed, the connection is closed without an answer, which is logged at most
 * once a minute. Not thread-safe: it belongs to the connection's IO thread.
 */
public final class ProxyGreeting extends Watched {
    private static final Logger LOG = LoggerFactory.getLogger(ProxyGreeting.class);
    private static final long LIMIT_NANOS = 5_000_000_000L;

    /**
     * Which peers send PROXY headers.
     *
     * @param mode whether a header is required
     * @param trusted peers whose headers are believed
     * @param silentNanos where a header is optional, how long the client may send nothing before it counts as one
     *     without a header
     */
    public record Policy(ProxyProtocol mode, List<AddressRange> trusted, long silentNanos) {
        /** With the time limit of whole headers. */
        public Policy(ProxyProtocol mode, List<AddressRange> trusted) {
            this(mode, trusted, LIMIT_NANOS);
        }

        private boolean trusts(InetAddress peer) {
            return AddressRange.anyContains(trusted, peer);
        }
    }

    private final ClientConnection client;
    private final StreamConnection connection;
    private final boolean required;
    private final Sweeper sweeper;
    private final ByteBufferPool buffers;
    private final OncePerMinute refusals;
    private final Consumer<ClientConnection> next;
    private final HeldBytes held = new HeldBytes();
    private final long deadline;
    private final long silentAt;
    private final RulePort.Undetected undetected;
    private boolean begun;
    private boolean done;

    private ProxyGreeting(
            ClientConnection client,
            Policy policy,
            PortTools tools,
            Consumer<ClientConnection> next,
            RulePort.Undetected undetected) {
        this.client = client;
        this.connection = client.connection();
        this.required = policy.mode() == ProxyProtocol.REQUIRED;
        this.sweeper = tools.sweeper(client);
        this.buffers = tools.buffers();
        this.refusals = tools.headless();
        this.next = next;
        this.undetected = undetected;
        this.deadline = client.since() + LIMIT_NANOS;
        this.silentAt = required ? deadline : client.since() + policy.silentNanos();
    }

    /**
     * Reads the header of a connection that was just accepted, unless the policy excludes one, and hands the connection
     * to {@code next}.
     *
     * @param undetected is told of connections that are closed because their header is missing or malformed
     */
    public static void read(
            ClientConnection client,
            Policy policy,
            PortTools tools,
            Consumer<ClientConnection> next,
            RulePort.Undetected undetected) {
        boolean trusted = policy.mode() != ProxyProtocol.OFF
                && policy.trusts(client.client().getAddress());
        if (trusted) {
            new ProxyGreeting(client, policy, tools, next, undetected).start();
        } else if (policy.mode() == ProxyProtocol.REQUIRED) {
            if (tools.distrusted().isDue()) {
                LOG.info(
                        "Refused {}: a PROXY header is required, and believed from trusted proxies only, which it isn't"
                                + " one of; logged at most once a minute",
                        client.client().getAddress().getHostAddress());
            }
            try {
                undetected.closed(client.client(), Duration.ZERO, RelayEnd.UNDETECTED_UNKNOWN);
            } finally {
                IoUtils.safeClose(client.connection());
            }
        } else {
            next.accept(client);
        }
    }

    private void start() {
        sweeper.watch(this);
        client.onLeave(() -> {
            if (!begun) {
                close();
            }
        });
        connection.getSourceChannel().setReadListener(ready -> guarded());
        guarded();
    }

    private void guarded() {
        Guard.run("reading a PROXY header", this::look, this::fail);
    }

    private void fail() {
        try {
            client.fail();
        } finally {
            close();
        }
    }

    private void look() {
        if (done) {
            return;
        }
        PooledByteBuffer buffer = held.restored(buffers);
        boolean kept = false;
        try {
            ByteBuffer bytes = buffer.getBuffer();
            int read = connection.getSourceChannel().read(bytes);
            if (read < 0) {
                refuse(RelayEnd.UNDETECTED_ENDED);
                return;
            }
            bytes.flip();
            begun = bytes.hasRemaining();
            ProxyHeader header = ProxyHeaderParser.parse(bytes);
            if (header == ProxyHeader.Partial.MORE) {
                held.hold(bytes);
                connection.getSourceChannel().resumeReads();
            } else if (header instanceof ProxyHeader.Complete complete) {
                bytes.position(bytes.position() + complete.length());
                kept = true;
                pass(buffer, complete);
            } else if (header == ProxyHeader.Partial.NONE && !required) {
                kept = true;
                pass(buffer, null);
            } else {
                if (refusals.isDue()) {
                    LOG.info(
                            "Refused trusted proxy {}: it sent {} where the PROXY header belongs; logged at most once"
                                    + " a minute",
                            client.client().getAddress().getHostAddress(),
                            header instanceof ProxyHeader.Malformed malformed ? malformed.reason() : "something else");
                }
                refuse(
                        header == ProxyHeader.Partial.NONE
                                ? RelayEnd.UNDETECTED_UNKNOWN
                                : RelayEnd.UNDETECTED_MALFORMED);
            }
        } catch (IOException e) {
            close();
        } finally {
            if (!kept) {
                buffer.close();
            }
        }
    }

    private void pass(PooledByteBuffer read, ProxyHeader.@Nullable Complete header) {
        finish();
        ConduitStreamSourceChannel source = connection.getSourceChannel();
        source.suspendReads();
        source.setReadListener(null);
        if (read.getBuffer().hasRemaining()) {
            PushBackStreamSourceConduit replay = new PushBackStreamSourceConduit(source.getConduit());
            source.setConduit(replay);
            replay.pushBack(new PooledAdaptor(read));
        } else {
            read.close();
        }
        if (header != null && header.source() != null && !client.cameFrom(header.source())) {
            LOG.debug("{} has too many connections: refusing more", header.source());
            IoUtils.safeClose(connection);
        } else {
            next.accept(client);
        }
    }

    private void refuse(RelayEnd why) {
        try {
            undetected.closed(client.client(), Duration.ofNanos(sweeper.now() - client.since()), why);
        } finally {
            close();
        }
    }

    private void finish() {
        done = true;
        sweeper.forget(this);
    }

    private void close() {
        finish();
        IoUtils.safeClose(connection);
    }

    @Override
    protected long deadline() {
        return begun ? deadline : silentAt;
    }

    @Override
    protected void expired(long now) {
        if (begun || required) {
            refuse(begun ? RelayEnd.UNDETECTED_LATE : RelayEnd.UNDETECTED_SILENT);
        } else {
            // a client that is silent for now, without a header: the limits of requests apply to it
            PooledByteBuffer nothing = buffers.allocate();
            nothing.getBuffer().flip();
            pass(nothing, null);
        }
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
