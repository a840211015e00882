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
 * An exchange that waits for a decision of the application's, which comes from any thread: it is under the same limits
 * as one that waits for an upstream, though never without one. A decision that comes when the exchange is over is
 * ignored. Not thread-safe.
 */
final class DecisionWait implements Expiry {
    /** For classes that wait forever, where {@code DEFAULT} does too. */
    private static final Duration LAST_RESORT = Duration.ofMinutes(1);

    private final Exchange exchange;
    private final Late late;
    private final long end;
    private boolean over;

    /** What happens when the decision is made, or its stage has failed: one of both is null. */
    @FunctionalInterface
    interface Next<T> {
        void decided(@Nullable T decision, @Nullable Throwable failure) throws Exception;
    }

    /**
     * What a client is told when the decision didn't come in time.
     *
     * @param why in the record, for silence
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
     * Goes on at once if the decision is made, else on the exchange's thread when it is.
     *
     * @param stage null is a failure
     * @param lateDetail what a client is told, with 504, when the decision didn't come in time
     */
    static <T> void on(Exchange exchange, @Nullable CompletionStage<? extends T> stage, String lateDetail, Next<T> next)
            throws Exception {
        on(exchange, stage, Late.ofApplication(lateDetail), next);
    }

    /** The same with another answer. */
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
        // only what runs behind the dispatch may run the root handler again
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

    /** The decision is made, or not needed any more; returns whether that still matters. */
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
        // nobody has read the body yet
    }
}
