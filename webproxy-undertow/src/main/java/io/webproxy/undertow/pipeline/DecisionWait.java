package io.webproxy.undertow.pipeline;

import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;
import io.webproxy.observe.ForwardError;
import io.webproxy.undertow.exchange.Decision;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.Expiry;
import io.webproxy.undertow.exchange.LocalAnswer;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The wait of an exchange for a decision of the application, which may come from any thread. It has the limits of a
 * wait for an upstream, and always one. A decision that arrives after the end of the exchange is ignored. Not
 * thread-safe.
 */
final class DecisionWait implements Expiry {
    private final Exchange exchange;
    private final Late late;
    private final Decision<?> decision;
    private boolean over;

    /**
     * The answer to the client when the decision isn't made in time.
     *
     * @param why the error in the record when the idle limit passes
     */
    record Late(int status, String detail, ForwardError why) {
        static Late ofApplication(String detail) {
            return new Late(504, detail, ForwardError.RESPONSE_HEAD_TIMEOUT);
        }
    }

    private DecisionWait(Exchange exchange, Late late, Decision<?> decision) {
        this.exchange = exchange;
        this.late = late;
        this.decision = decision;
    }

    /**
     * Continues at once if the decision is made, else later on the exchange's IO thread.
     *
     * @param stage null counts as a failure
     * @param lateDetail detail of the 504 if the decision isn't made in time
     */
    static <T> void on(
            Exchange exchange, @Nullable CompletionStage<? extends T> stage, String lateDetail, Decision.Next<T> next)
            throws Exception {
        on(exchange, stage, Late.ofApplication(lateDetail), next);
    }

    /** The same with another answer for a late decision. */
    static <T> void on(
            Exchange exchange, @Nullable CompletionStage<? extends T> stage, Late late, Decision.Next<T> next)
            throws Exception {
        Decision<T> decision = Decision.of(exchange, stage);
        if (decision.isMade()) {
            decision.tell(next);
            return;
        }
        DecisionWait wait = new DecisionWait(exchange, late, decision);
        exchange.limits().watch(wait);
        HttpServerExchange http = exchange.http();
        Runnable back = () -> Connectors.executeRootHandler(
                same -> {
                    if (wait.decided()) {
                        decision.tell(next);
                    }
                },
                http);
        // the root handler may run again only after the dispatch
        http.dispatch(SameThreadExecutor.INSTANCE, () -> decision.whenMade(back));
    }

    /** The wait is over, by a decision or otherwise; returns whether it wasn't before. */
    private boolean decided() {
        if (over || exchange.isEnded()) {
            return false;
        }
        over = true;
        exchange.client().unwatch();
        return true;
    }

    @Override
    public void idle() {
        giveUp(late.why());
    }

    @Override
    public void overdue() {
        giveUp(ForwardError.TOTAL_TIMEOUT);
    }

    private void giveUp(ForwardError why) {
        if (decided()) {
            exchange.failed(why);
            LocalAnswer.send(exchange, late.status(), late.detail(), Map.of());
        }
    }

    @Override
    public void lasting(long now) {
        if (over) {
            return;
        }
        if (decision.isTooLate(now)) {
            idle();
        } else {
            exchange.client().watchForAbort(this::clientGone);
        }
    }

    private void clientGone() {
        if (decided()) {
            exchange.failed(ForwardError.CLIENT_ABORTED);
            exchange.recordStatus(499);
            exchange.client().abort();
        }
    }

    @Override
    public void cut() {
        exchange.breakOff(503, "The proxy ends.");
    }

    @Override
    public void requestBroken(int status, String detail) {
        // nothing has read the body yet
    }
}
