package io.webproxy.undertow.forward;

import io.webproxy.observe.ForwardError;
import io.webproxy.route.Upstream;
import io.webproxy.spi.ProxyHeaderVersion;
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
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The attempts to have one request answered: which upstream gets it, and whether it is sent again, to the same one or
 * another. What may have been executed is never sent twice, unless it is idempotent and has no body.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread.
 *
 * <p>Undertow's {@code ProxyHandler} (2.4.4) answers 503 when a kept connection turns out to be closed. Canary:
 * {@code ProxyHandlerDefectsTest.staleConnectionIsNotRetried}.
 */
final class Attempts implements UpstreamPool.Taker {
    private static final Logger LOG = LoggerFactory.getLogger(Attempts.class);
    private static final Set<String> IDEMPOTENT = Set.of("GET", "HEAD", "OPTIONS", "PUT", "DELETE");

    /** So often upstreams may refuse a request, having executed nothing of it, before the client is told. */
    private static final int MOST_REFUSALS = 3;

    /** RFC 9113 section 7: the upstream wants the request over HTTP/1.1. */
    private static final int HTTP_1_1_REQUIRED = 13;

    /** Has a request to send, and hears whom it can be sent to. */
    interface Asker {
        /** Whether the request still wants an answer. */
        boolean isOpen();

        /** It can be sent to this upstream, on this stream. */
        void connected(UpstreamStream stream, Upstream upstream);

        /** There is no upstream that it can be sent to. */
        void unserved(ForwardError error, String detail);

        /** The application's choice has failed. */
        void choiceFailed(UpstreamChoice.FailedException why);

        /** The client has left before all of it had come. */
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

    private @Nullable UpstreamChoice choice;
    private @Nullable Candidate candidate;
    private long askedAt;
    private boolean fresh;
    private boolean elsewhere;
    private int refusals;
    private boolean http11;

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

    // --- choosing ---

    /** Asks the first upstream. */
    void begin() {
        Upstream only = exchange.plan().onlyUpstream();
        List<Candidate> candidates = state.candidates();
        if (only != null) {
            ask(Candidate.alone(only), false);
        } else if (candidates.size() > 1) {
            state.retries().earn();
            choice = new UpstreamChoice(exchange, pools, Objects.requireNonNull(state.group(), "group"), login.pools());
            askNext(choice, false);
        } else if (!candidates.isEmpty() && candidates.get(0).health().isWell()) {
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
        exchange.upstream().choose(next.upstream().authority(), chosen.inFlight());
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

    /** The upstream that was asked last; null if the application has chosen it, or none was asked. */
    @Nullable Upstream chosen() {
        return candidate == null || exchange.plan().onlyUpstream() != null ? null : candidate.upstream();
    }

    // --- connecting ---

    @Override
    public UpstreamPool.Need needs() {
        return login.isOne() || http11
                ? UpstreamPool.Need.HTTP_1_1
                : request.isUpgrade() ? UpstreamPool.Need.WEB_SOCKET : UpstreamPool.Need.ANY;
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
    public boolean isWanted() {
        // Undertow ends the exchange by itself when the client's connection breaks
        return asker.isOpen() && !exchange.isEnded();
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
        if (!asker.isOpen()) {
            return;
        }
        if (isConnectError(error)) {
            LOG.debug("{}: {} ({})", exchange, error, detail);
            health.failed();
            if (moveOn(false)) {
                return;
            }
        }
        asker.unserved(error, detail);
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

    // --- sending again ---

    /** Asks another upstream, if there is one and the budget allows it. */
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
        // another upstream may require something else
        http11 = false;
        askNext(Objects.requireNonNull(choice, "choice"), onFresh);
    }

    /**
     * The upstream has ended its connection, or broken the protocol, before it answered. Returns whether the request is
     * sent again.
     *
     * @param silent whether it has sent nothing
     */
    boolean lost(ForwardError error, String detail, boolean silent) {
        UpstreamStream by = request.lost();
        boolean reused = by != null && by.isReused();
        boolean replayable = silent && request.isBodiless() && isIdempotent();
        if (replayable && reused && candidate != null && !fresh) {
            fresh = true;
            ask(candidate, true);
            return true;
        }
        health.failed(error, detail);
        // once: a request that brings upstreams down must not go round
        boolean first = !elsewhere;
        elsewhere |= replayable;
        return replayable && first && moveOn(true);
    }

    /** The upstream has refused the request, having executed nothing of it. Returns whether it is sent again. */
    boolean refused(String detail) {
        UpstreamStream by = request.lost();
        http11 |= by != null && by.resetCode() == HTTP_1_1_REQUIRED;
        boolean again = request.isRepeatable() && refusals++ < MOST_REFUSALS;
        if (!again || candidate == null) {
            return false;
        }
        LOG.debug("{}: {}, and is sent again", exchange, detail);
        request.await();
        // once, a connection that ends may have refused it; twice, its upstream: if not for want of HTTP/1.1
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
