package io.webproxy.undertow.forward;

import io.webproxy.observe.ForwardError;
import io.webproxy.route.Upstream;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.GrpcCall;
import io.webproxy.undertow.upstream.UpstreamPool;
import io.webproxy.undertow.upstream.UpstreamStream;
import io.webproxy.undertow.upstream.Upstreams;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.conduits.StreamSinkConduit;

/**
 * The attempts to have one request answered: which upstream gets it, and whether it is sent again, to the same one or another. What may have been executed is never sent twice,
 * unless it is idempotent and has no body.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread.
 *
 * <p>Undertow's {@code ProxyHandler} (2.4.4) answers 503 when a kept connection turns out to be closed. Canary: {@code ProxyHandlerDefectsTest.staleConnectionIsNotRetried}.
 */
final class Attempts {
    private static final Logger LOG = LoggerFactory.getLogger(Attempts.class);
    private static final Set<String> IDEMPOTENT = Set.of("GET", "HEAD", "OPTIONS", "PUT", "DELETE");

    /** So often upstreams may refuse a request, having executed nothing of it, before the client is told. */
    private static final int MOST_REFUSALS = 3;

    /** RFC 9113 section 7: the upstream wants the request over HTTP/1.1. */
    private static final int HTTP_1_1_REQUIRED = 13;

    /** Takes the connection to the upstream that was chosen, or hears that there is none. */
    interface Asker extends UpstreamPool.Taker {
        /** No upstream can be asked. */
        void unserved(ForwardError error, String detail);

        /** The application's choice has failed. */
        void choiceFailed(UpstreamChoice.FailedException why);
    }

    private final Exchange exchange;
    private final Upstreams pools;
    private final RouteState state;
    private final ConnectionLogin login;
    private final PassiveHealth health;
    private final Asker asker;

    private boolean bodiless;
    private @Nullable UpstreamChoice choice;
    private @Nullable Candidate candidate;
    private long askedAt;
    private boolean fresh;
    private boolean elsewhere;
    private int refusals;
    private boolean http11;
    private @Nullable ResendableBody body;

    Attempts(
            Exchange exchange,
            Upstreams pools,
            RouteState state,
            ConnectionLogin login,
            PassiveHealth health,
            Asker asker) {
        this.exchange = exchange;
        this.pools = pools;
        this.state = state;
        this.login = login;
        this.health = health;
        this.asker = asker;
    }

    // --- choosing ---

    /** Asks the first upstream; {@code withoutBody}: whether the request has none. */
    void begin(boolean withoutBody) {
        bodiless = withoutBody;
        Upstream only = exchange.plan().onlyUpstream();
        List<Candidate> candidates = state.candidates();
        if (only != null) {
            ask(Candidate.alone(only), false);
        } else if (candidates.size() > 1) {
            state.retries().earn();
            choice = new UpstreamChoice(exchange, pools, state, login.pools());
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
        exchange.upstream(next.upstream().authority(), chosen.inFlight());
        GrpcCall call = exchange.grpc();
        if (call != null) {
            call.again();
        }
        askedAt = now();
        boolean onlyOnce = !bodiless || !isIdempotent();
        UpstreamStream own = onFresh ? null : login.take(chosen, onlyOnce);
        if (own != null) {
            asker.connected(own);
        } else {
            chosen.take(
                    exchange.http().getIoThread(),
                    onFresh,
                    onlyOnce,
                    exchange.policy().connect(),
                    asker);
        }
    }

    private long now() {
        return exchange.shared().nanoClock().getAsLong();
    }

    private boolean isIdempotent() {
        return IDEMPOTENT.contains(exchange.http().getRequestMethod().toString());
    }

    /** The upstream that is asked. */
    Upstream upstream() {
        return Objects.requireNonNull(candidate, "candidate").upstream();
    }

    /** How long ago it was asked, in nanoseconds. */
    long age() {
        return now() - askedAt;
    }

    /** Whether it has asked for HTTP/1.1. */
    boolean isHttp11Required() {
        return http11;
    }

    // --- sending again ---

    /** Asks another upstream, if there is one and the budget allows it. */
    boolean moveOn() {
        return moveOn(false);
    }

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

    /** There is no connection to the upstream, which has had nothing of the request. Returns whether another one is asked. */
    boolean connectFailed() {
        health.failed();
        return moveOn(false);
    }

    /**
     * The upstream has ended its connection, or broken the protocol, before it answered. Returns whether the request is sent again.
     *
     * @param silent whether it has sent nothing
     * @param reused whether the connection had served others before
     */
    boolean lost(ForwardError error, String detail, boolean silent, boolean reused) {
        boolean replayable = silent && bodiless && isIdempotent();
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

    /**
     * An upstream has refused the request, having executed nothing of it. Returns whether it is sent again.
     *
     * @param by the stream that was refused, or null
     */
    boolean refused(@Nullable UpstreamStream by, String detail) {
        http11 |= by != null && by.resetCode() == HTTP_1_1_REQUIRED;
        boolean again = (bodiless || (body != null && body.isWhole())) && refusals++ < MOST_REFUSALS;
        if (!again || candidate == null) {
            return false;
        }
        LOG.debug("{}: {}, and is sent again", exchange, detail);
        if (body != null) {
            body.await();
        }
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

    /** Where the body of a request goes that is sent for the first time; HTTP/2 may refuse it when it has begun. */
    StreamSinkConduit body(UpstreamStream to) {
        if (bodiless || !to.isHttp2()) {
            return to.requestBody();
        }
        body = new ResendableBody(to.requestBody());
        return body;
    }

    /** The request was sent again: its body follows from the first byte. */
    void restart(UpstreamStream to) {
        if (body != null) {
            body.restart(to.requestBody());
        }
    }

    /** An upstream has answered, and the client is told so: the request won't be sent again. */
    void settled() {
        if (body != null) {
            body.settle();
        }
    }

    /** The request won't be sent again. */
    void ended() {
        if (body != null) {
            body.giveUp();
        }
    }
}
