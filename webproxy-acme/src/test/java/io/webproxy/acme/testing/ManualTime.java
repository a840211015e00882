package io.webproxy.acme.testing;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * Time that a test turns: a wall clock that can jump, and an executor whose tasks run, in this thread, when their time
 * has come.
 */
public final class ManualTime extends AbstractExecutorService implements ScheduledExecutorService {
    private final PriorityQueue<Task> tasks = new PriorityQueue<>();
    private Instant wall;
    private long nanos;
    private long order;

    public ManualTime(Instant begin) {
        wall = begin;
    }

    public Clock clock() {
        return new Clock() {
            @Override
            public ZoneId getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
                return this;
            }

            @Override
            public Instant instant() {
                return wall;
            }
        };
    }

    public Instant now() {
        return wall;
    }

    /** Sets the wall clock, and nothing else. */
    public void jump(Duration by) {
        wall = wall.plus(by);
    }

    /** Lets time pass, with all that happens meanwhile. */
    public void pass(Duration time) {
        long until = nanos + time.toNanos();
        while (!tasks.isEmpty() && tasks.peek().due <= until) {
            Task task = tasks.remove();
            moveTo(Math.max(nanos, task.due));
            task.run();
        }
        moveTo(until);
    }

    /** Runs what is due now. */
    public void run() {
        pass(Duration.ZERO);
    }

    /** Time passes within a task. */
    void spend(Duration time) {
        moveTo(nanos + time.toNanos());
    }

    public int waiting() {
        tasks.removeIf(FutureTask::isDone);
        return tasks.size();
    }

    private void moveTo(long then) {
        wall = wall.plusNanos(then - nanos);
        nanos = then;
    }

    private final class Task extends FutureTask<Void> implements ScheduledFuture<Void> {
        private final long due;
        private final long number = order++;

        Task(Runnable runnable, long due) {
            super(runnable, null);
            this.due = due;
        }

        @Override
        public long getDelay(TimeUnit unit) {
            return unit.convert(due - nanos, TimeUnit.NANOSECONDS);
        }

        @Override
        public int compareTo(Delayed other) {
            Task task = (Task) other;
            return due == task.due ? Long.compare(number, task.number) : Long.compare(due, task.due);
        }
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
        Task task = new Task(command, nanos + unit.toNanos(delay));
        tasks.add(task);
        return task;
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable command, long initial, long delay, TimeUnit unit) {
        return schedule(command, initial, unit);
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable command, long initial, long period, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void execute(Runnable command) {
        schedule(command, 0, TimeUnit.NANOSECONDS);
    }

    @Override
    public void shutdown() {}

    @Override
    public List<Runnable> shutdownNow() {
        return List.of();
    }

    @Override
    public boolean isShutdown() {
        return false;
    }

    @Override
    public boolean isTerminated() {
        return false;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return true;
    }
}
