package io.webproxy.undertow.forward;

import io.webproxy.observe.ForwardError;
import io.webproxy.route.Upstream;
import io.webproxy.spi.ProxyHeaderVersion;
import io.webproxy.spi.RetryOn;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.GrpcCall;
import io.webproxy.undertow.upstream.ProxyHeaderWriter;
import io.webproxy.undertow.upstream.UpstreamPool;
import io.webproxy.undertow.upstream.UpstreamStream;
import io.webproxy.undertow.upstream.Upstreams;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The attempts of one request: chooses an upstream, connects, and decides on retries at the same or another upstream. A
 * request that may have been executed is retried only if it is idempotent and has no body.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread.
 *
 * <p>Undertow's {@code ProxyHandler} (2.4.4) answers 503 when a kept connection turns out to be closed. Canary:
 * {@code ProxyHandlerDefectsTest.staleConnectionIsNotRetried}.
 */
final class Attempts implements UpstreamPool.Taker {
    private static final Logger LOG = LoggerFactory.getLogger(Attempts.class);
    private static final Set<String> IDEMPOTENT = Set.of("GET", "HEAD", "OPTIONS", "PUT", "DELETE");

    /** How many refusals, which executed nothing of the request, lead to a retry before the client gets an error. */
    private static final int MOST_REFUSALS = 3;

    /** RFC 9113 section 7: the upstream requires HTTP/1.1 for the request. */
    private static final int HTTP_1_1_REQUIRED = 13;

    /** The owner of the request; is told the outcome. */
    interface Asker {
        /** Whether the request still needs an answer. */
        boolean isOpen();

        /** The request can be sent to this upstream, on this stream. */
        void connected(UpstreamStream stream, Upstream upstream);

        /** No upstream can take the request. */
        void unserved(ForwardError error, String detail);

        /** The application's balancing failed. */
        void choiceFailed(UpstreamChoice.FailedException why);

        /** The client left before its request was complete. */
        void clientGone();
    }

    private final Exchange exchange;
    private final Upstreams pools;
    private final RouteState state;
    private final Http1Upstreams http1Upstreams;
    private final ConnectionLogin login;
    private final PassiveHealth health;
    private final OutboundRequest request;
    private final Asker asker;

    private BooleanSupplier repeatable = () -> false;
    private BooleanSupplier keeping = () -> false;
    private @Nullable UpstreamChoice choice;
    private @Nullable Candidate candidate;
    private long askedAt;
    private boolean fresh;
    private boolean elsewhere;
    private int refusals;
    private boolean http11;
    /** An earlier answer is the client's: what is still under way isn't wanted. */
    private boolean over;

    Attempts(
            Exchange exchange,
            Upstreams pools,
            RouteState state,
            Http1Upstreams http1Upstreams,
            ConnectionLogin login,
            PassiveHealth health,
            OutboundRequest request,
            Asker asker) {
        this.exchange = exchange;
        this.pools = pools;
        this.state = state;
        this.http1Upstreams = http1Upstreams;
        this.login = login;
        this.health = health;
        this.request = request;
        this.asker = asker;
    }

    /**
     * What depends on answers that lead to another attempt.
     *
     * @param allowed whether the route allows the request, as it is now, to be sent again though it was sent
     * @param holding whether an earlier answer is kept
     */
    void repeatIf(BooleanSupplier allowed, BooleanSupplier holding) {
        repeatable = allowed;
        keeping = holding;
    }

    // --- choosing ---

    /** Chooses the first upstream and connects to it. */
    void begin() {
        Upstream only = exchange.plan().onlyUpstream();
        List<Candidate> candidates = state.candidates();
        if (only != null) {
            ask(Candidate.alone(only), false);
        } else if (candidates.size() > 1) {
            state.retries().earn();
            choice = new UpstreamChoice(exchange, pools, Objects.requireNonNull(state.group(), "group"), login.pools());
            askNext(choice, false);
        } else if (!candidates.isEmpty() && candidates.get(0).health().isHealthy()) {
            ask(candidates.get(0), false);
        } else {
            asker.unserved(ForwardError.NO_HEALTHY_UPSTREAM, "the only upstream is down");
        }
    }

    private void askNext(UpstreamChoice among, boolean onFresh) {
        Candidate next;
        try {
            next = among.next();
        } catch (UpstreamChoice.FailedException e) {
            asker.choiceFailed(e);
            return;
        }
        if (next == null) {
            asker.unserved(ForwardError.NO_HEALTHY_UPSTREAM, "all upstreams are down");
        } else {
            ask(next, onFresh);
        }
    }

    private void ask(Candidate next, boolean onFresh) {
        candidate = next;
        UpstreamPool chosen = pools.pool(next.upstream());
        health.asked(next, chosen);
        if (chosen == null) {
            asker.unserved(ForwardError.POOL_EXHAUSTED, "there are too many upstreams");
            return;
        }
        exchange.upstream().choose(next.upstream().toString(), chosen.inFlight());
        GrpcCall call = exchange.grpc();
        if (call != null) {
            call.again();
        }
        askedAt = now();
        boolean onlyOnce = !request.isBodiless() || !isIdempotent();
        UpstreamStream own = onFresh ? null : login.take(chosen, onlyOnce);
        if (own != null) {
            connected(own);
        } else {
            chosen.take(
                    exchange.http().getIoThread(),
                    onFresh,
                    onlyOnce,
                    exchange.limits().policy().connect(),
                    this);
        }
    }

    private long now() {
        return exchange.shared().nanoClock().getAsLong();
    }

    private boolean isIdempotent() {
        return IDEMPOTENT.contains(exchange.http().getRequestMethod().toString());
    }

    private Upstream upstream() {
        return Objects.requireNonNull(candidate, "candidate").upstream();
    }

    /** The upstream that was tried last. */
    Candidate candidate() {
        return Objects.requireNonNull(candidate, "candidate");
    }

    /** The last upstream that was tried; null if a filter chose it, or none was tried. */
    @Nullable Upstream chosen() {
        return candidate == null || exchange.plan().onlyUpstream() != null ? null : candidate.upstream();
    }

    // --- connecting ---

    @Override
    public UpstreamPool.Need needs() {
        Upgrade upgrade = request.upgrade();
        if (login.isOne() || http11 || (upgrade != null && !upgrade.isWebSocket())) {
            return UpstreamPool.Need.HTTP_1_1;
        }
        return upgrade == null ? UpstreamPool.Need.ANY : UpstreamPool.Need.WEB_SOCKET;
    }

    @Override
    public ByteBuffer greeting(Upstream to) {
        ProxyHeaderVersion version = to.proxyProtocol().orElse(null);
        return version == null
                ? UpstreamPool.Taker.super.greeting(to)
                : ProxyHeaderWriter.proxied(
                        version,
                        exchange.clientSocket(),
                        exchange.http().getConnection().getLocalAddress(InetSocketAddress.class));
    }

    @Override
    public boolean mayQueue() {
        // requests that hold a place in one pool and wait for one in another would wait for each other
        return !keeping.getAsBoolean();
    }

    @Override
    public boolean isWanted() {
        // when the client's connection breaks, Undertow ends the exchange by itself
        return !over && asker.isOpen() && !exchange.isEnded();
    }

    @Override
    public void connected(UpstreamStream taken) {
        if (!isWanted()) {
            taken.close();
            return;
        }
        if (exchange.http().isRequestComplete() && !exchange.client().isRequestWhole()) {
            // the upstream would take the end of the connection for the end of the body
            taken.close();
            asker.clientGone();
            return;
        }
        exchange.upstream().connected(taken.isReused() ? 0 : now() - askedAt, taken.protocol());
        if (exchange.grpc() != null && !taken.isHttp2()) {
            taken.close();
            http1Upstreams.met(upstream(), exchange.route());
            if (!moveOn(false)) {
                asker.unserved(ForwardError.UPSTREAM_PROTOCOL, "it speaks HTTP/1.1");
            }
            return;
        }
        asker.connected(taken, upstream());
    }

    @Override
    public void failed(ForwardError error, String detail) {
        if (!isWanted()) {
            return;
        }
        if (isConnectError(error)) {
            LOG.debug("{}: {} ({})", exchange, error, detail);
            health.failed();
            if (moveOn(false)) {
                return;
            }
        } else if (!mayQueue() && moveOn(false)) {
            return;
        }
        asker.unserved(error, detail);
    }

    @Override
    public void crowded(String detail) {
        if (!isWanted() || (!mayQueue() && moveOn(false))) {
            return;
        }
        health.crowded(detail);
        asker.unserved(ForwardError.POOL_EXHAUSTED, detail);
    }

    private static boolean isConnectError(ForwardError error) {
        return switch (error) {
            // closed at once: nothing of the request was sent
            case CONNECT_REFUSED,
                    CONNECT_UNREACHABLE,
                    CONNECT_TIMEOUT,
                    CONNECT_TLS,
                    DNS,
                    UPSTREAM_CLOSED,
                    UPSTREAM_PROTOCOL -> true;
            default -> false;
        };
    }

    // --- retries ---

    /** Whether a request that was sent may be sent to another upstream of the group by this rule. */
    boolean mayBeRepeated(RetryOn rule) {
        return exchange.plan().onlyUpstream() == null
                && state.candidates().size() > 1
                && !login.isOne()
                && (rule.nonIdempotent() || isIdempotent());
    }

    /** Whether another upstream is ready, and the retry budget allows it: then it is spent. */
    boolean mayTryAnother() {
        return choice != null && choice.hasReady() && state.retries().take();
    }

    /** Tries another upstream, as {@link #mayTryAnother} has allowed. */
    void tryAnother() {
        toNext(false);
    }

    /** An upstream that was tried before is the one that answers; there are no more attempts. */
    void backTo(Candidate earlier, String protocol, int attempt) {
        over = true;
        candidate = earlier;
        UpstreamPool pool = pools.pool(earlier.upstream());
        health.backTo(earlier, pool);
        if (pool != null) {
            exchange.upstream().back(earlier.upstream().toString(), pool.inFlight(), protocol, attempt);
        }
    }

    /** Tries another upstream if there is one and the retry budget allows it. */
    private boolean moveOn(boolean onFresh) {
        boolean may = mayMoveOn();
        if (may) {
            toNext(onFresh);
        }
        return may;
    }

    private boolean mayMoveOn() {
        return choice != null && choice.hasNext() && state.retries().take();
    }

    private void toNext(boolean onFresh) {
        // another upstream may require another protocol
        http11 = false;
        askNext(Objects.requireNonNull(choice, "choice"), onFresh);
    }

    /**
     * The upstream closed the connection or broke the protocol before its response. Returns whether the request is
     * retried.
     *
     * @param silent whether it sent nothing
     */
    boolean lost(ForwardError error, String detail, boolean silent) {
        UpstreamStream by = request.lost();
        boolean reused = by != null && by.isReused();
        boolean replayable = silent && ((request.isBodiless() && isIdempotent()) || repeatable.getAsBoolean());
        if (replayable) {
            request.await();
        }
        if (replayable && reused && candidate != null && !fresh) {
            fresh = true;
            ask(candidate, true);
            return true;
        }
        health.failed(error, detail);
        // once only: a request that crashes upstreams must not visit them all
        boolean first = !elsewhere;
        elsewhere |= replayable;
        return replayable && first && moveOn(true);
    }

    /** The upstream refused the request without executing any of it. Returns whether the request is retried. */
    boolean refused(String detail) {
        UpstreamStream by = request.lost();
        http11 |= by != null && by.resetCode() == HTTP_1_1_REQUIRED;
        boolean again = request.isRepeatable() && refusals++ < MOST_REFUSALS;
        if (!again || candidate == null) {
            return false;
        }
        LOG.debug("{}: {}, and is retried", exchange, detail);
        request.await();
        // a first refusal may come from a closing connection, a second one from the upstream itself; unless it wants
        // HTTP/1.1
        if (refusals > 1 && !http11 && mayMoveOn()) {
            health.failed();
            toNext(false);
            return true;
        }
        if (choice == null || state.retries().take()) {
            ask(candidate, false);
            return true;
        }
        return false;
    }
}
