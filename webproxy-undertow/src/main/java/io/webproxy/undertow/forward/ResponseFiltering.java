package io.webproxy.undertow.forward;

import io.undertow.util.HeaderMap;
import io.webproxy.http.Answer;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.FilterDecision;
import io.webproxy.route.ResponseFilter;
import io.webproxy.spi.HeaderEdit;
import io.webproxy.undertow.exchange.Decision;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.Expiry;
import io.webproxy.undertow.upstream.ParsedHead;
import io.webproxy.undertow.upstream.ResponseListener;
import io.webproxy.undertow.upstream.UpstreamStream;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.conduits.StreamSourceConduit;

/**
 * Asks a route's response filter about a response. Until it has decided, the response waits unread, within the limits
 * of its timeout class, and always one. A decision that comes after the end of the exchange is ignored.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread.
 */
final class ResponseFiltering implements ResponseListener, Expiry {
    private static final Logger LOG = LoggerFactory.getLogger(ResponseFiltering.class);

    /** The exchange that waits for the filter. */
    interface Owner extends Expiry {
        /** Whether the client still needs an answer. */
        boolean isOpen();

        /** The client has left. */
        void clientGone();

        /** The response proceeds, with these changes of its fields. */
        void relay(ParsedHead response, UpstreamStream from, List<HeaderEdit> edits, @Nullable SessionCookie cookie);

        /** The client gets this instead of the response, which was discarded. */
        void replace(Answer answer);

        /** The response can't proceed. */
        void unfiltered(ForwardError error, String detail);
    }

    private final Exchange exchange;
    private final OutboundRequest request;
    private final PassiveHealth health;
    private final Owner owner;
    private final Runnable onClientGone;
    private final ParsedHead response;
    private final UpstreamStream from;
    private final StreamSourceConduit body;
    private final @Nullable SessionCookie cookie;
    private @Nullable Decision<FilterDecision> decision;
    private boolean over;

    /**
     * For a response on this stream, which it holds until the decision.
     *
     * @param response with the fields for the client
     * @param cookie the proxy's own; null for none
     */
    ResponseFiltering(
            Exchange exchange,
            OutboundRequest request,
            PassiveHealth health,
            Owner owner,
            ParsedHead response,
            UpstreamStream from,
            @Nullable SessionCookie cookie) {
        this.exchange = exchange;
        this.request = request;
        this.health = health;
        this.owner = owner;
        this.onClientGone = owner::clientGone;
        this.response = response;
        this.from = from;
        this.cookie = cookie;
        request.answeredBy(from);
        this.body = from.responseBody(this);
    }

    /** Asks the filter. */
    void ask(ResponseFilter filter) {
        @Nullable FilterDecision first;
        try {
            first = filter.filter(exchange.head(), response);
        } catch (Throwable e) {
            // Throwable: the client is waiting
            failed(e);
            return;
        }
        if (first == null || first.later().isEmpty()) {
            decided(first, null);
            return;
        }
        Decision<FilterDecision> later = Decision.of(exchange, first.later().get());
        if (later.isMade()) {
            tell(later);
            return;
        }
        decision = later;
        exchange.limits().handOver(this);
        later.whenMade(() -> tell(later));
    }

    private void tell(Decision<FilterDecision> made) {
        try {
            made.tell(this::decided);
        } catch (Throwable e) {
            failed(e);
        }
    }

    private void decided(@Nullable FilterDecision made, @Nullable Throwable failure) {
        if (!isWaiting()) {
            return;
        }
        String wrong = failure != null ? null : problem(made);
        if (made == null || wrong != null) {
            failed(failure != null ? failure : new IllegalStateException(wrong));
            return;
        }
        if (decision != null && made.answer().isEmpty()) {
            // it has waited unread
            from.lookAhead();
        }
        if (isWaiting()) {
            end(() -> carryOut(made));
        }
    }

    private void carryOut(FilterDecision made) {
        exchange.limits().activity();
        if (!made.tags().isEmpty()) {
            exchange.planned(exchange.plan().withTags(made.tags()));
        }
        Answer answer = made.answer().orElse(null);
        if (answer == null) {
            owner.relay(response, from, made.headers(), cookie);
        } else {
            health.replaced(response.fields());
            request.settled();
            Leftover.discard(exchange, body, from);
            owner.replace(answer);
        }
    }

    /** Ends the wait by this step. */
    private void end(Runnable step) {
        over = true;
        try {
            step.run();
        } catch (Throwable e) {
            // Throwable: the client is waiting, and no limit ends that any more
            LOG.error(
                    "The decision of route {}'s response filter can't be carried out; {}",
                    exchange.route().name(),
                    ForwardError.APPLICATION_FAILED.advice(),
                    e);
            exchange.failed(ForwardError.APPLICATION_FAILED);
            // what the owner still holds of the upstream ends with the exchange
            exchange.client().abort();
        }
    }

    private static @Nullable String problem(@Nullable FilterDecision made) {
        if (made == null) {
            return "it returned null in place of a decision";
        }
        if (made.later().isPresent()) {
            return "the stage of its later decision has brought another later one";
        }
        return made.path().isPresent() || made.upstream().isPresent()
                ? "it chose a path or an upstream, which is for request filters"
                : null;
    }

    private void failed(Throwable why) {
        if (isWaiting()) {
            LOG.error(
                    "The response filter of route {} failed; {}",
                    exchange.route().name(),
                    ForwardError.APPLICATION_FAILED.advice(),
                    why);
            unfiltered(ForwardError.APPLICATION_FAILED, "its filter failed");
        }
    }

    private void unfiltered(ForwardError error, String detail) {
        end(() -> {
            health.replaced(response.fields());
            owner.unfiltered(error, detail);
        });
    }

    private boolean isWaiting() {
        return !over && owner.isOpen() && !exchange.isEnded();
    }

    // --- the upstream, which isn't read ---

    @Override
    public void responseBytes(long bytes) {
        // discarded
    }

    @Override
    public void responsePaused() {
        // nothing waits for it
    }

    @Override
    public void responseEnded(HeaderMap trailers) {
        // discarded
    }

    @Override
    public void responseBroken(String detail) {
        if (isWaiting()) {
            end(() -> {
                health.brokeOff(detail);
                owner.unfiltered(ForwardError.UPSTREAM_CLOSED, detail);
            });
        }
    }

    // --- the clock, the client and the server ---

    @Override
    public void idle() {
        late(ForwardError.RESPONSE_HEAD_TIMEOUT);
    }

    @Override
    public void overdue() {
        late(ForwardError.TOTAL_TIMEOUT);
    }

    private void late(ForwardError why) {
        if (isWaiting()) {
            unfiltered(why, "the response filter didn't decide in time");
        }
    }

    @Override
    public void lasting(long now) {
        if (!isWaiting()) {
            return;
        }
        if (decision != null && decision.isTooLate(now)) {
            idle();
        } else {
            exchange.client().watchForAbort(onClientGone);
        }
    }

    @Override
    public void cut() {
        owner.cut();
    }

    @Override
    public void requestBroken(int status, String detail) {
        owner.requestBroken(status, detail);
    }

    @Override
    public void ended() {
        owner.ended();
    }
}
