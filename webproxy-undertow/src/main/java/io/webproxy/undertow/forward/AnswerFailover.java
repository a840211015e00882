package io.webproxy.undertow.forward;

import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import io.webproxy.observe.ForwardError;
import io.webproxy.spi.RetryOn;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.message.RetryAfter;
import io.webproxy.undertow.upstream.ParsedHead;
import io.webproxy.undertow.upstream.ResponseListener;
import io.webproxy.undertow.upstream.UpstreamStream;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.xnio.conduits.StreamSourceConduit;

/**
 * Failover by answer: on a route that says so ({@link RetryOn}) an upstream's answer, or its lateness, leads to another
 * attempt. The best answer so far is kept, unread, because the client gets it if no later attempt has a better one.
 *
 * <p>Never for upgrades, logins of connections and gRPC calls, and for requests that aren't idempotent only if the
 * route says so: they may have been executed. Not thread-safe: it belongs to the exchange's IO thread.
 */
final class AnswerFailover {
    private static final HttpString RETRY_AFTER = new HttpString("Retry-After");

    /** Relays an answer to the client. */
    interface Relay {
        /** Relays this answer. */
        void relay(ParsedHead answer, UpstreamStream from);
    }

    private final Exchange exchange;
    private final OutboundRequest request;
    private final Attempts attempts;
    private final PassiveHealth health;
    private final RetryOn rule;
    private final Relay relay;

    private boolean possible;
    private boolean again;
    /** When the upstream got the head, or took the last bytes of the body. */
    private long sentAt;

    private @Nullable Kept kept;

    /** An answer that the client may get. */
    private static final class Kept implements ResponseListener {
        private final ParsedHead head;
        private final UpstreamStream stream;
        private final Candidate by;
        private final int attempt;
        /** In seconds; {@link Long#MAX_VALUE} if it doesn't say. */
        private final long retryAfter;

        private final StreamSourceConduit body;
        private boolean broken;

        Kept(ParsedHead head, UpstreamStream stream, Candidate by, int attempt, long retryAfter) {
            this.head = head;
            this.stream = stream;
            this.by = by;
            this.attempt = attempt;
            this.retryAfter = retryAfter < 0 ? Long.MAX_VALUE : retryAfter;
            this.body = stream.responseBody(this);
        }

        /** Whether the client can't get it any more: its upstream has broken it off. */
        boolean isBroken() {
            stream.lookAhead();
            return broken;
        }

        @Override
        public void responseBytes(long bytes) {
            // drained
        }

        @Override
        public void responsePaused() {
            // nothing waits for it
        }

        @Override
        public void responseEnded(HeaderMap trailers) {
            // drained
        }

        @Override
        public void responseBroken(String detail) {
            broken = true;
        }
    }

    AnswerFailover(Exchange exchange, OutboundRequest request, Attempts attempts, PassiveHealth health, Relay relay) {
        this.exchange = exchange;
        this.request = request;
        this.attempts = attempts;
        this.health = health;
        this.rule = exchange.route().retryOn();
        this.relay = relay;
    }

    /** The request is prepared, and about to be sent: decides whether it may be sent again. */
    void begin() {
        possible = rule.isOn() && exchange.grpc() == null && request.upgrade() == null && attempts.mayBeRepeated(rule);
        if (possible) {
            request.keepBody(rule.bodyBytes());
        }
    }

    /** Whether this isn't the first attempt of a request that the route allows several. */
    boolean isAgain() {
        return again || (possible && exchange.upstream().attempt() > 1);
    }

    /** An upstream gets the request now, or has taken bytes of its body: from now on it may be late. */
    void sent() {
        if (possible) {
            sentAt = now();
        }
    }

    private long now() {
        return exchange.shared().nanoClock().getAsLong();
    }

    /** Whether an answer is kept, which holds a place in the pool of its upstream. */
    boolean isKeeping() {
        return kept != null;
    }

    /** Whether all of the request could be sent again now. */
    boolean isRepeatable() {
        return possible && request.isRepeatable(rule.bodyBytes());
    }

    /**
     * A final response head has arrived. Returns whether it is dealt with: another attempt is under way, or the client
     * gets an earlier answer; otherwise the client gets this one.
     */
    boolean responded(ParsedHead answer, UpstreamStream from) {
        if (!possible || !rule.statuses().contains(answer.status())) {
            drop();
            return false;
        }
        long retryAfter = RetryAfter.seconds(answer.fields().getFirst(RETRY_AFTER), Instant.now());
        Candidate by = attempts.candidate();
        by.cooldown().start(retryAfter, now());
        boolean another = isRepeatable() && attempts.mayTryAnother();
        Kept now = new Kept(answer, from, by, exchange.upstream().attempt(), retryAfter);
        Kept before = kept;
        boolean better =
                before == null || before.isBroken() || (now.retryAfter <= before.retryAfter && !now.isBroken());
        if (another) {
            request.lost();
            // before a sink is closed, which would go on with the body
            request.await();
            kept = better ? now : before;
            discard(better ? before : now);
            tryAnother();
            return true;
        }
        if (better) {
            drop();
            return false;
        }
        return fallBack();
    }

    private void tryAnother() {
        again = true;
        attempts.tryAnother();
    }

    /**
     * Called on each sweep before a response, unless the client has to send more first: an upstream that is late is
     * given up for another one.
     */
    void look(long now) {
        UpstreamStream late = request.stream();
        if (rule.firstByte().isZero()
                || late == null
                || !isRepeatable()
                || now - sentAt < rule.firstByte().toNanos()
                || !attempts.mayTryAnother()) {
            return;
        }
        health.timedOut(ForwardError.RESPONSE_HEAD_TIMEOUT);
        request.lost();
        request.await();
        late.abort();
        tryAnother();
    }

    /**
     * The last attempt failed: the client gets the answer that was kept. Returns false if there is none, or no more.
     */
    boolean fallBack() {
        Kept best = kept;
        if (best == null || best.isBroken()) {
            drop();
            return false;
        }
        kept = null;
        request.giveUp();
        attempts.backTo(best.by, best.stream.protocol(), best.attempt);
        relay.relay(best.head, best.stream);
        return true;
    }

    /** No kept answer is needed any more. */
    void drop() {
        Kept last = kept;
        kept = null;
        discard(last);
    }

    private void discard(@Nullable Kept answer) {
        if (answer != null) {
            Leftover.discard(exchange, answer.body, answer.stream);
        }
    }
}
