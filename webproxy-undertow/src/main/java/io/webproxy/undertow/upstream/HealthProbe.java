package io.webproxy.undertow.upstream;

import io.webproxy.observe.ForwardError;
import io.webproxy.route.HealthCheck;
import io.webproxy.route.Upstream;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.SocketReads;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.message.FieldParser;
import io.webproxy.undertow.message.Leniency;
import java.nio.ByteBuffer;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;

/**
 * Active health check of one upstream: a periodic request, each on a connection of its own, and never two at once.
 *
 * <p>Belongs to the sweeper's IO thread, but for {@link #start}, {@link #stop} and {@link #tally}.
 */
final class HealthProbe extends Watched implements Connector.Callback {
    private static final Logger LOG = LoggerFactory.getLogger(HealthProbe.class);
    private static final long LONGEST_JITTER_MILLIS = 10_000;
    private static final ByteBuffer NO_GREETING = ByteBuffer.allocate(0);

    private final Upstream upstream;
    private final HealthCheck check;
    private final Connector connector;
    private final Exchanges exchanges;
    private final Sweeper sweeper;
    private final Verdicts verdicts;
    private final HealthTally tally;
    private final FieldParser fields = FieldParser.ofResponseHeads();
    private final Spread spread = new Spread();

    private long askAt;
    private boolean stopped;
    private boolean asking;
    private long startedAt;
    private @Nullable ConnectAttempt attempt;
    private @Nullable StreamConnection stream;
    private @Nullable HealthStream http2;
    private @Nullable HealthExchange http1;

    /** Is told when an upstream's health changes. */
    interface Verdicts {
        /** The upstream is unhealthy: it gets no requests from now on; {@code why} is a sentence. */
        void fails(Upstream upstream, String why);

        /** The upstream is healthy: it gets requests again. */
        void passes(Upstream upstream, String path);

        /** What an upstream's responses may be. */
        Leniency leniency(Upstream upstream);
    }

    HealthProbe(
            Upstream upstream,
            HealthCheck check,
            Connector connector,
            Exchanges exchanges,
            Sweeper sweeper,
            Verdicts verdicts) {
        this.verdicts = verdicts;
        this.exchanges = exchanges;
        this.upstream = upstream;
        this.check = check;
        this.connector = connector;
        this.sweeper = sweeper;
        this.tally = new HealthTally(check);
    }

    HealthTally tally() {
        return tally;
    }

    /** Starts at a random moment within the first interval, so that probes don't all run at once. */
    void start() {
        long most = Math.min(check.interval().toMillis(), LONGEST_JITTER_MILLIS);
        IoTasks.execute(
                sweeper.thread(), () -> askIn(ThreadLocalRandom.current().nextLong(most)));
    }

    /** Stops checking. */
    void stop() {
        IoTasks.execute(sweeper.thread(), this::cut);
    }

    private void askIn(long millis) {
        if (!stopped) {
            askAt = sweeper.now() + TimeUnit.MILLISECONDS.toNanos(millis);
            sweeper.watch(this);
        }
    }

    private void ask() {
        if (stopped) {
            return;
        }
        hangUp();
        // from here on any failure is a result, and the result schedules the next check
        asking = true;
        startedAt = sweeper.now();
        ConnectAttempt begun =
                connector.connect(sweeper, upstream, upstream.isHttp2(), check.timeout(), spread, NO_GREETING, this);
        if (asking && stream == null) {
            attempt = begun;
        }
    }

    @Override
    public void connected(StreamConnection connection, SocketReads reads) {
        guarded(() -> opened(connection, reads));
    }

    private void opened(StreamConnection connection, SocketReads reads) {
        attempt = null;
        if (!asking) {
            IoUtils.safeClose(connection);
            return;
        }
        stream = connection;
        if (upstream.isHttp2() && (!upstream.tls() || Connector.isHttp2Chosen(connection))) {
            HealthStream over = new HealthStream(upstream, check, (good, detail) -> {
                verdict(good, detail);
                hangUp();
            });
            http2 = over;
            over.start(connector.outbound(connection, reads, exchanges, 1, over));
            return;
        }
        if (check.grpcService().isPresent()) {
            verdict(false, "it speaks HTTP/1.1, which carries no gRPC (expected: a service that chooses h2 by ALPN)");
            hangUp();
            return;
        }
        HealthExchange over = new HealthExchange(upstream, check, this::verdict, this::hangUp, connector.buffers());
        http1 = over;
        over.start(connector.connection(connection, reads, over, fields, verdicts.leniency(upstream)));
    }

    @Override
    public void failed(ForwardError error, String detail) {
        attempt = null;
        if (error == ForwardError.POOL_EXHAUSTED) {
            noVerdict(detail);
        } else {
            verdict(false, detail);
        }
        hangUp();
    }

    private void guarded(Runnable step) {
        Guard.run("a health check", step, () -> {
            verdict(false, "an internal error");
            hangUp();
        });
    }

    /** Only the first result of a check counts. */
    private void verdict(boolean good, String detail) {
        if (!asking) {
            return;
        }
        asked();
        if (tally.changedBy(good)) {
            if (good) {
                verdicts.passes(upstream, check.path());
            } else {
                verdicts.fails(
                        upstream,
                        upstream + " fails its health check " + check.path() + " and gets no requests: " + detail);
            }
        } else {
            LOG.debug("{} {} its health check: {}", upstream, good ? "passes" : "fails", detail);
        }
    }

    /** A shortage in this process says nothing about the upstream. */
    private void noVerdict(String detail) {
        if (asking) {
            LOG.debug("The health check of {} could not be made: {}", upstream, detail);
            asked();
        }
    }

    private void asked() {
        asking = false;
        long next = startedAt + check.interval().toNanos() - sweeper.now();
        askIn(Math.max(0, next / 1_000_000));
    }

    /** Closes what is open. */
    private void hangUp() {
        ConnectAttempt connecting = attempt;
        attempt = null;
        if (connecting != null) {
            connecting.cut();
        }
        HealthStream over = http2;
        http2 = null;
        if (over != null) {
            over.close();
        }
        HealthExchange asked = http1;
        http1 = null;
        if (asked != null) {
            asked.close();
        }
        StreamConnection used = stream;
        stream = null;
        IoUtils.safeClose(used);
    }

    @Override
    protected long deadline() {
        long timeout = startedAt + check.timeout().toNanos();
        return asking ? timeout : stream == null || askAt - timeout < 0 ? askAt : timeout;
    }

    @Override
    protected void expired(long now) {
        if (!asking && now - askAt >= 0) {
            guarded(this::ask);
            return;
        }
        verdict(false, "no answer within " + check.timeout().toMillis() + " ms");
        hangUp();
    }

    @Override
    protected void cut() {
        stopped = true;
        asking = false;
        hangUp();
        sweeper.forget(this);
    }
}
