package io.webproxy.undertow.upstream;

import io.webproxy.observe.ForwardError;
import io.webproxy.route.PoolLimits;
import io.webproxy.undertow.deadline.Watched;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The requests that wait for a connection of a pool, in order, each for a limited time. Thread-safe, but a waiter
 * belongs to its lane's IO thread.
 */
final class PoolQueue {
    private final AtomicInteger size = new AtomicInteger();
    private final Queue<Waiter> queue = new ConcurrentLinkedQueue<>();

    /** Number of waiting requests. */
    int size() {
        return size.get();
    }

    /** Whether a connection could be opened for any of them. */
    boolean hasNext() {
        for (Waiter waiter : queue) {
            if (waiter.isServed()) {
                return true;
            }
        }
        return false;
    }

    /** Adds a request, on its lane's thread; false if the queue is full. */
    boolean add(Lane lane, Wish wish, PoolLimits limits) {
        if (size.incrementAndGet() > limits.queue()) {
            size.decrementAndGet();
            return false;
        }
        Waiter waiter =
                new Waiter(lane, wish, lane.sweeper().now() + limits.queueTime().toNanos());
        queue.add(waiter);
        lane.sweeper().watch(waiter);
        return true;
    }

    /** The first request, which stays in the queue; null if there is none. */
    @Nullable Waiter peek() {
        return queue.peek();
    }

    /** Removes and returns the first request for which a connection could be opened; null if there is none. */
    @Nullable Waiter next() {
        for (Waiter waiter : queue) {
            if (waiter.isServed() && take(waiter)) {
                return waiter;
            }
        }
        return null;
    }

    /** A snapshot of all. */
    Iterable<Waiter> all() {
        return queue;
    }

    /** Removes one, wherever it is; false if it was removed already. */
    boolean take(Waiter waiter) {
        boolean first = waiter.claim();
        if (first) {
            queue.remove(waiter);
        }
        return first;
    }

    /** A request in the queue. */
    final class Waiter extends Watched {
        private final Lane lane;
        private final Wish wish;
        private final long deadline;
        private final AtomicBoolean claimed = new AtomicBoolean();

        /** It needs an HTTP/1.1 connection. */
        private final boolean alone;

        private Waiter(Lane lane, Wish wish, long deadline) {
            this.lane = lane;
            this.wish = wish;
            this.deadline = deadline;
            this.alone = lane.isAlone(wish);
        }

        /** Whether a new connection would help it. */
        private boolean isServed() {
            return alone || !lane.isShut();
        }

        Lane lane() {
            return lane;
        }

        Wish wish() {
            return wish;
        }

        /** Claims the request; only the first call succeeds. */
        private boolean claim() {
            boolean first = claimed.compareAndSet(false, true);
            if (first) {
                size.decrementAndGet();
            }
            return first;
        }

        @Override
        protected long deadline() {
            return deadline;
        }

        @Override
        protected void expired(long now) {
            if (leave()) {
                wish.taker().crowded("no connection became free in time");
            }
        }

        @Override
        protected void seen(long now) {
            if (!wish.taker().isWanted()) {
                leave();
            }
        }

        @Override
        protected void cut() {
            if (leave()) {
                wish.taker().failed(ForwardError.POOL_EXHAUSTED, "the server is closing");
            }
        }

        /** Leaves the queue; false if it was removed already. */
        private boolean leave() {
            lane.sweeper().forget(this);
            return take(this);
        }
    }
}
