package io.webproxy.undertow.forward;

import io.webproxy.http.Answer;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.ResponseFilter;
import io.webproxy.route.Upstream;
import io.webproxy.spi.HeaderEdit;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.upstream.ParsedHead;
import io.webproxy.undertow.upstream.UnwritableException;
import io.webproxy.undertow.upstream.UpstreamListener;
import io.webproxy.undertow.upstream.UpstreamStream;
import io.webproxy.undertow.upstream.Upstreams;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Forwards one exchange: the state machine that handles each event of client, upstream and clock, depending on the
 * state of the exchange.
 *
 * <ol>
 *   <li><i>Asking:</i> {@link Attempts} chooses an upstream and takes a stream to it.
 *   <li><i>Sent:</i> {@link OutboundRequest} is on that stream, its body follows, and the exchange waits for the
 *       response head. A failed stream may lead back to asking.
 *   <li><i>Relaying:</i> the final response head has arrived, has passed {@link ResponseFiltering} if the route has a
 *       filter, and {@link ResponseRelay} handles the exchange; after a 101, {@link Tunnel} does.
 * </ol>
 *
 * Before relaying, every failure ends it by {@link EarlyEnd}. It is <i>shut</i> when further events no longer matter:
 * it was answered or aborted, became a tunnel, or the client has the whole response.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread.
 */
final class ForwardExchange extends Facade implements UpstreamListener, Attempts.Asker, ResponseFiltering.Owner {
    private static final Logger LOG = LoggerFactory.getLogger(ForwardExchange.class);

    private final Exchange exchange;
    private final ConnectionLogin login;
    private final PassiveHealth health;
    private final OutboundRequest request;
    private final Attempts attempts;
    private final AnswerFailover failover;
    private final @Nullable Affinity affinity;
    private final Runnable onClientGone = this::clientGone;

    /** Whether the client got a 100 (Continue). */
    private boolean continued;
    /** Null until the exchange is relaying. */
    private @Nullable ResponseRelay relay;

    ForwardExchange(Exchange exchange, Upstreams pools, RouteState state, Http1Upstreams http1Upstreams) {
        super(exchange.http());
        this.exchange = exchange;
        this.login = new ConnectionLogin(exchange);
        this.health = new PassiveHealth(exchange);
        this.request = new OutboundRequest(exchange, this, login);
        this.attempts = new Attempts(exchange, pools, state, http1Upstreams, login, health, request, this);
        this.failover = new AnswerFailover(exchange, request, attempts, health, this::relay);
        this.affinity = state.affinity();
    }

    // --- asking ---

    @Override
    void begin() {
        try {
            request.prepare(affinity == null ? null : affinity.cookie());
        } catch (UnwritableException e) {
            unwritable(e);
            return;
        }
        if (login.isMisplaced()) {
            end().requireHttp11();
            return;
        }
        exchange.limits().watch(this);
        if (exchange.client().isMultiplexed()) {
            // a reset is noticed at once; an HTTP/1.1 connection would have to be read for it
            exchange.client().watchForAbort(onClientGone);
        }
        failover.begin();
        attempts.repeatIf(failover::isRepeatable, failover::isKeeping);
        attempts.begin();
    }

    private void unwritable(UnwritableException e) {
        if (!failover.fallBack()) {
            end().refuse(400, "The request can't be forwarded: " + e.getMessage() + ".");
        }
    }

    @Override
    public void unserved(ForwardError error, String detail) {
        if (!failover.fallBack()) {
            end().answer(error, detail);
        }
    }

    @Override
    public void choiceFailed(UpstreamChoice.FailedException why) {
        LOG.error(
                "No upstream for {}: {}; {}",
                exchange,
                why.getMessage(),
                ForwardError.APPLICATION_FAILED.advice(),
                why.getCause());
        if (!failover.fallBack()) {
            end().applicationFailed();
        }
    }

    @Override
    public void connected(UpstreamStream stream, Upstream upstream) {
        if (!failover.isAgain()) {
            exchange.limits().activity();
        }
        failover.sent();
        try {
            request.send(stream, upstream, this);
        } catch (UnwritableException e) {
            unwritable(e);
        }
    }

    // --- sent ---

    @Override
    public void requestBytesTaken(long bytes) {
        health.taken();
        failover.sent();
        if (relay != null || !failover.isAgain() || !request.isReplaying()) {
            exchange.limits().activity();
        }
    }

    @Override
    public void requestBodyWrong(String problem) {
        exchange.limits().requestBroken(400, problem);
    }

    @Override
    public void requestBroken(int status, String detail) {
        if (isOpen()) {
            LOG.debug("{}: {}", exchange, detail);
            end().refuse(status, "The request is refused: " + detail + ".");
        }
    }

    @Override
    public void failed(ForwardError error, String detail, boolean silent) {
        if (isOpen() && !attempts.lost(error, detail, silent) && !failover.fallBack()) {
            end().answer(error, detail);
        }
    }

    @Override
    public void refused(String detail) {
        if (isOpen() && !attempts.refused(detail)) {
            failed(ForwardError.UPSTREAM_CLOSED, detail, false);
        }
    }

    @Override
    public void interim(ParsedHead interim) {
        if (isOpen() && !(continued && failover.isAgain() && interim.status() == 100)) {
            try {
                continued |= interim.status() == 100;
                InterimResponse.send(exchange, interim);
            } catch (IOException e) {
                clientGone();
            }
        }
    }

    @Override
    public void responded(ParsedHead answer) {
        UpstreamStream from = request.stream();
        if (!isOpen() || from == null) {
            return;
        }
        health.responded(answer);
        Locations locations = request.locations();
        if (locations != null) {
            locations.rewrite(answer.fields());
        }
        if (login.isRefused(from, answer)) {
            end().requireHttp11();
        } else if (answer.status() == 101) {
            upgraded(answer, from);
        } else if (!failover.responded(answer, from)) {
            relay(answer, from);
        }
    }

    /** The client gets this answer, unless the route's response filter decides otherwise. */
    private void relay(ParsedHead answer, UpstreamStream from) {
        SessionCookie cookie = cookie(answer);
        exchange.responded(answer);
        ClientHead.prepare(exchange, answer);
        ResponseFilter filter = exchange.route().responseFilter().orElse(null);
        if (filter == null) {
            relay(answer, from, List.of(), cookie);
        } else {
            new ResponseFiltering(exchange, request, health, this, answer, from, cookie).ask(filter);
        }
    }

    @Override
    public void relay(ParsedHead answer, UpstreamStream from, List<HeaderEdit> edits, @Nullable SessionCookie cookie) {
        request.settled();
        ResponseRelay begun = new ResponseRelay(exchange, this, request, health, onClientGone);
        relay = begun;
        begun.start(answer, from, edits, cookie);
    }

    @Override
    public void replace(Answer answer) {
        end().answer(answer);
    }

    @Override
    public void unfiltered(ForwardError error, String detail) {
        end().answer(error, detail);
    }

    /** The proxy's own cookie for the response; null to leave it alone. */
    private @Nullable SessionCookie cookie(ParsedHead answer) {
        return affinity == null ? null : affinity.responded(exchange, answer, attempts.chosen());
    }

    private void upgraded(ParsedHead answer, UpstreamStream from) {
        exchange.client().unwatch();
        Upgrade upgrade = request.upgrade();
        if (upgrade != null && upgrade.isAnsweredBy(answer, from, exchange)) {
            request.settled();
            // what hasn't been sent again by now never will be
            request.giveUp();
            shut();
            exchange.responded(answer);
            Tunnel.open(exchange, upgrade, answer, from, cookie(answer));
        } else {
            if (upgrade != null && !upgrade.isWebSocket()) {
                // what the client has sent for the tunnel must not become a request
                http().setPersistent(false);
            }
            if (!failover.fallBack()) {
                end().answer(ForwardError.INVALID_RESPONSE, "a 101 that wasn't asked for");
            }
        }
    }

    // --- limits, before relaying ---

    @Override
    public void idle() {
        if (isOpen()) {
            if (isClientSilent()) {
                // RFC 9110 section 15.5.9
                requestBroken(408, "the rest of its body didn't come");
            } else {
                timedOut(ForwardError.RESPONSE_HEAD_TIMEOUT, "its response head didn't come in time", true);
            }
        }
    }

    @Override
    public void overdue() {
        if (isOpen()) {
            timedOut(ForwardError.TOTAL_TIMEOUT, "the limit of the whole exchange ran out", false);
        }
    }

    /**
     * Whether the exchange waits for the client's request body, and not for the upstream, which may still have to send
     * a 100.
     */
    private boolean isClientSilent() {
        return request.isAwaitingBody()
                && (continued || exchange.bytesIn() > 0 || !InterimResponse.isContinueExpected(http()));
    }

    private void timedOut(ForwardError error, String detail, boolean fallsBack) {
        if (request.isSent()) {
            health.timedOut(error);
        }
        if (!fallsBack || !failover.fallBack()) {
            end().answer(error, detail);
        }
    }

    @Override
    public void lasting(long now) {
        if (isOpen()) {
            exchange.client().watchForAbort(onClientGone);
        }
        if (isOpen() && !isClientSilent()) {
            failover.look(now);
        }
    }

    @Override
    public void ended() {
        if (relay != null) {
            relay.ended();
        } else if (isOpen() && request.stream() != null) {
            end().abort();
        } else if (isOpen()) {
            // it was being connected
            failover.drop();
            request.giveUp();
        }
    }

    // --- ends, also while relaying ---

    /** Ends it before relaying; made when needed. */
    private EarlyEnd end() {
        failover.drop();
        return new EarlyEnd(exchange, this, request);
    }

    @Override
    public void cut() {
        breakOff(503, "The proxy ends.");
    }

    @Override
    void threadEnds() {
        LOG.debug("{}: the server has closed", exchange);
        breakOff(503, "The proxy ends.");
    }

    @Override
    void handlerFailed() {
        exchange.failed(ForwardError.INVALID_RESPONSE);
        breakOff(500, "The proxy failed.");
    }

    private void breakOff(int status, String detail) {
        if (relay != null) {
            relay.breakOff(status, detail);
        } else if (isOpen()) {
            end().breakOff(status, detail);
        }
    }

    @Override
    public void clientGone() {
        clientGone(!request.isAwaitingBody() && exchange.client().isRequestWhole());
    }

    /** {@code waited}: for the upstream, which had the whole request or didn't take it. */
    private void clientGone(boolean waited) {
        if (relay != null) {
            relay.clientGone();
        } else if (isOpen()) {
            if (waited) {
                health.abandoned();
            }
            end().clientGone();
        }
    }

    /** The proxy handler gives up: one of its transfers failed. */
    @Override
    public void close() {
        boolean clean = relay != null && relay.isComplete() && exchange.isEnded();
        if (!clean) {
            clientGone(false);
        }
    }
}
