package io.webproxy.undertow.pipeline;

import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;
import io.webproxy.observe.ForwardError;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.Expiry;
import io.webproxy.undertow.exchange.LocalAnswer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The wait of an exchange for a decision of the application, which may come from any thread. It has the limits of a
 * wait for an upstream, and always one. A decision that arrives after the end of the exchange is ignored. Not
 * thread-safe.
 */
final class DecisionWait implements Expiry {
    /** The limit for classes that wait forever, if {@code DEFAULT} does too. */
    private static final Duration LAST_RESORT = Duration.ofMinutes(1);

    private final Exchange exchange;
    private final Late late;
    private final long end;
    private boolean over;

    /** Continues with the decision or with the failure of its stage; one of both is null. */
    @FunctionalInterface
    interface Next<T> {
        void decided(@Nullable T decision, @Nullable Throwable failure) throws Exception;
    }

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

    private DecisionWait(Exchange exchange, Late late) {
        this.exchange = exchange;
        this.late = late;
        Duration ofDefault = exchange.limits().policy().idle(TimeoutClass.DEFAULT);
        this.end = exchange.shared().nanoClock().getAsLong() + (ofDefault.isZero() ? LAST_RESORT : ofDefault).toNanos();
    }

    /**
     * Continues at once if the decision is made, else later on the exchange's IO thread.
     *
     * @param stage null counts as a failure
     * @param lateDetail detail of the 504 if the decision isn't made in time
     */
    static <T> void on(Exchange exchange, @Nullable CompletionStage<? extends T> stage, String lateDetail, Next<T> next)
            throws Exception {
        on(exchange, stage, Late.ofApplication(lateDetail), next);
    }

    /** The same with another answer for a late decision. */
    static <T> void on(Exchange exchange, @Nullable CompletionStage<? extends T> stage, Late late, Next<T> next)
            throws Exception {
        CompletableFuture<? extends T> decision = future(stage);
        if (decision.isDone()) {
            goOn(decision, next);
            return;
        }
        DecisionWait wait = new DecisionWait(exchange, late);
        exchange.limits().watch(wait);
        HttpServerExchange http = exchange.http();
        Runnable back = () -> Connectors.executeRootHandler(
                same -> {
                    if (wait.decided()) {
                        goOn(decision, next);
                    }
                },
                http);
        // the root handler may run again only after the dispatch
        http.dispatch(SameThreadExecutor.INSTANCE, () -> {
            var unused = decision.whenComplete((made, failure) -> IoTasks.execute(http.getIoThread(), back));
        });
    }

    private static <T> CompletableFuture<? extends T> future(@Nullable CompletionStage<? extends T> stage) {
        try {
            return stage == null
                    ? CompletableFuture.failedFuture(new NullPointerException("no stage"))
                    : stage.toCompletableFuture();
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static <T> void goOn(CompletableFuture<? extends T> decision, Next<T> next) throws Exception {
        T made = null;
        Throwable failure = null;
        try {
            made = decision.join();
        } catch (CompletionException | CancellationException e) {
            failure = e.getCause() == null ? e : e.getCause();
        }
        if (made == null && failure == null) {
            failure = new NullPointerException("the decision is null");
        }
        next.decided(made, failure);
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
        if (now - end > 0 && exchange.limits().isWithoutLimit()) {
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
