package io.webproxy.undertow.exchange;

import io.webproxy.timeout.TimeoutClass;
import io.webproxy.undertow.deadline.IoTasks;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A decision of the application about an exchange, which any thread may make. Not thread-safe: it belongs to the
 * exchange's IO thread.
 */
public final class Decision<T> {
    /** The limit for classes that wait forever, if {@code DEFAULT} does too. */
    private static final Duration LAST_RESORT = Duration.ofMinutes(1);

    private final Exchange exchange;
    private final CompletableFuture<T> future;
    private final long end;

    /** Continues with the decision or with the failure of its stage; one of both is null. */
    @FunctionalInterface
    public interface Next<T> {
        void decided(@Nullable T decision, @Nullable Throwable failure) throws Exception;
    }

    private Decision(Exchange exchange, CompletableFuture<T> future) {
        this.exchange = exchange;
        this.future = future;
        Duration ofDefault = exchange.limits().policy().idle(TimeoutClass.DEFAULT);
        this.end = exchange.shared().nanoClock().getAsLong() + (ofDefault.isZero() ? LAST_RESORT : ofDefault).toNanos();
    }

    /**
     * The decision that a stage has.
     *
     * @param stage null counts as a failure
     */
    public static <T> Decision<T> of(Exchange exchange, @Nullable CompletionStage<? extends T> stage) {
        return new Decision<>(exchange, future(stage));
    }

    private static <T> CompletableFuture<T> future(@Nullable CompletionStage<? extends T> stage) {
        CompletableFuture<T> own = new CompletableFuture<>();
        if (stage == null) {
            own.completeExceptionally(new NullPointerException("no stage"));
            return own;
        }
        try {
            var unused = stage.toCompletableFuture().whenComplete((made, failure) -> {
                if (failure != null) {
                    own.completeExceptionally(failure);
                } else {
                    own.complete(made);
                }
            });
        } catch (Throwable e) {
            // Throwable: the stage may be the application's own class, and the client is waiting
            own.completeExceptionally(e);
        }
        return own;
    }

    /** Whether it is made. */
    public boolean isMade() {
        return future.isDone();
    }

    /** Runs a task on the exchange's IO thread when it is made. */
    public void whenMade(Runnable task) {
        var unused = future.whenComplete(
                (made, failure) -> IoTasks.execute(exchange.http().getIoThread(), task));
    }

    /** Continues with a decision that is made. */
    public void tell(Next<T> next) throws Exception {
        T made = null;
        Throwable failure = null;
        try {
            made = future.join();
        } catch (CompletionException | CancellationException e) {
            failure = e.getCause() == null ? e : e.getCause();
        }
        if (made == null && failure == null) {
            failure = new NullPointerException("the decision is null");
        }
        next.decided(made, failure);
    }

    /** Whether it takes too long although the exchange has no limit: a class without one waits as long as DEFAULT. */
    public boolean isTooLate(long now) {
        return now - end > 0 && exchange.limits().isWithoutLimit();
    }
}
