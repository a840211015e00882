package io.webproxy.undertow.auth;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Runs tasks on the test's thread when the test says so. */
final class ManualExecutor extends AbstractExecutorService implements ScheduledExecutorService, AuthServices {
    private final Deque<Runnable> waiting = new ArrayDeque<>();
    private final List<Repeating> repeating = new ArrayList<>();
    private final AuthServices server;
    private boolean ended;
    int capacity = Integer.MAX_VALUE;

    /** The executor of a server with this clock and this bcrypt. */
    ManualExecutor(AuthServices server) {
        this.server = server;
    }

    @Override
    public @Nullable String senderOf(Path file) {
        return server.senderOf(file);
    }

    @Override
    public ScheduledExecutorService executor() {
        return this;
    }

    @Override
    public LongSupplier nanoClock() {
        return server.nanoClock();
    }

    @Override
    public boolean verifyBcrypt(byte[] password, String hash) {
        return server.verifyBcrypt(password, hash);
    }

    /** What repeats, run by {@link #tick}. */
    private static final class Repeating extends FutureTask<Void> implements ScheduledFuture<Void> {
        private final Runnable task;

        Repeating(Runnable task) {
            super(task, null);
            this.task = task;
        }

        @Override
        public long getDelay(TimeUnit unit) {
            return 0;
        }

        @Override
        public int compareTo(Delayed other) {
            return 0;
        }
    }

    /** Runs what waits. */
    void runAll() {
        for (Runnable task = waiting.poll(); task != null; task = waiting.poll()) {
            task.run();
        }
    }

    /** Runs what repeats, once. */
    void tick() {
        repeating.stream().filter(task -> !task.isCancelled()).forEach(task -> task.task.run());
    }

    int waiting() {
        return waiting.size();
    }

    long repeating() {
        return repeating.stream().filter(task -> !task.isCancelled()).count();
    }

    @Override
    public void execute(Runnable task) {
        if (ended || waiting.size() >= capacity) {
            throw new RejectedExecutionException("full");
        }
        waiting.add(task);
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable task, long delay, long period, TimeUnit unit) {
        Repeating future = new Repeating(task);
        repeating.add(future);
        return future;
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable task, long delay, long period, TimeUnit unit) {
        return scheduleWithFixedDelay(task, delay, period, unit);
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> task, long delay, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void shutdown() {
        ended = true;
    }

    @Override
    public List<Runnable> shutdownNow() {
        ended = true;
        List<Runnable> dropped = new ArrayList<>(waiting);
        waiting.clear();
        repeating.clear();
        return dropped;
    }

    @Override
    public boolean isShutdown() {
        return ended;
    }

    @Override
    public boolean isTerminated() {
        return ended;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return ended;
    }
}
