package io.webproxy.undertow.tunnel;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;

/**
 * The ready connections of one channel, 0 to 16: as many as visitors came at once recently, one for ten minutes after
 * the last visitor, then none. Thread-safe. Times are nanoseconds of a monotonic clock.
 */
final class ReadyPool {
    private static final int MOST = 16;

    /** After this time without a visitor the pool is halved. */
    private static final long REST_NANOS = TimeUnit.SECONDS.toNanos(15);

    /** How long one connection is kept for the first visitor after a pause. */
    private static final long LAST_NANOS = TimeUnit.MINUTES.toNanos(10);

    /** The maximum age: a middlebox may have forgotten an older connection. */
    static final long AGE_NANOS = TimeUnit.SECONDS.toNanos(55);

    /** At this age another one is requested, as a replacement. */
    static final long OLD_NANOS = TimeUnit.SECONDS.toNanos(50);

    private final List<DataConnection> ready = new ArrayList<>();
    private final Map<Long, Long> requested = new HashMap<>();
    private int target;
    private long lastVisitor;
    private long lastDemand;
    private boolean closed;

    /**
     * Takes a connection for a visitor, if there is one: preferably on the visitor's thread, and of those the newest.
     */
    synchronized @Nullable DataConnection take(XnioIoThread thread, long now) {
        lastVisitor = now;
        lastDemand = now;
        DataConnection taken = null;
        for (int i = ready.size() - 1; i >= 0 && (taken == null || taken.thread() != thread); i--) {
            if (taken == null || ready.get(i).thread() == thread) {
                taken = ready.get(i);
            }
        }
        if (taken == null) {
            target = Math.min(MOST, Math.max(1, 2 * target));
        } else {
            ready.remove(taken);
            // the last one counts too: a visitor at the same time would find none
            if (ready.size() < target / 4 || target == 1) {
                target = Math.min(MOST, target + 1);
            }
        }
        return taken;
    }

    /** How many to request now. */
    synchronized int missing(long now) {
        if (closed) {
            return 0;
        }
        int young = 0;
        for (DataConnection one : ready) {
            young += one.isOld(now) ? 0 : 1;
        }
        return Math.max(0, target - young - requested.size());
    }

    /** One is about to be requested; false if none is needed any more. */
    synchronized boolean requested(long id, long until) {
        if (closed) {
            return false;
        }
        requested.put(id, until);
        return true;
    }

    /** Whether this one was requested, and hasn't arrived. */
    synchronized boolean isRequested(long id) {
        return requested.containsKey(id);
    }

    /** A requested one won't arrive; false if it wasn't requested. */
    synchronized boolean failed(long id) {
        return requested.remove(id) != null;
    }

    /** A requested one has arrived; false if it isn't needed any more. */
    synchronized boolean add(long id, DataConnection connection) {
        requested.remove(id);
        if (closed || ready.size() >= MOST) {
            return false;
        }
        ready.add(connection);
        return true;
    }

    /** One was closed. */
    synchronized void remove(DataConnection connection) {
        ready.remove(connection);
    }

    /** A connection timed out, which makes the others suspect: takes them all out. */
    synchronized List<DataConnection> takeAll() {
        List<DataConnection> all = List.copyOf(ready);
        ready.clear();
        return all;
    }

    /**
     * Adjusts the pool to the time.
     *
     * @return surplus connections, to be closed
     */
    synchronized List<DataConnection> sweep(long now, List<Long> expired) {
        for (Iterator<Map.Entry<Long, Long>> all = requested.entrySet().iterator(); all.hasNext(); ) {
            Map.Entry<Long, Long> one = all.next();
            if (now - one.getValue() >= 0) {
                expired.add(one.getKey());
                all.remove();
            }
        }
        if (target > 1 && now - lastDemand >= REST_NANOS) {
            target /= 2;
            lastDemand = now;
        } else if (target == 1 && now - lastVisitor >= LAST_NANOS) {
            target = 0;
        }
        List<DataConnection> surplus = new ArrayList<>();
        while (ready.size() > target) {
            surplus.add(ready.remove(0));
        }
        return surplus;
    }

    /**
     * Closes the pool.
     *
     * @param unanswered receives the ids of those that were requested and haven't arrived
     * @return its connections, to be closed
     */
    synchronized List<DataConnection> close(List<Long> unanswered) {
        closed = true;
        unanswered.addAll(requested.keySet());
        requested.clear();
        return takeAll();
    }

    synchronized int size() {
        return ready.size();
    }
}
