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
 * The ready connections of one channel, 0 to 16: as many are kept as visitors came at once of late, one for ten minutes
 * after the last, and none when none come. Thread-safe. Times are nanoseconds of a monotonic clock.
 */
final class ReadyPool {
    private static final int MOST = 16;

    /** Within this time without a visitor the pool gets half as large. */
    private static final long REST_NANOS = TimeUnit.SECONDS.toNanos(15);

    /** So long the first visitor after a pause finds one. */
    private static final long LAST_NANOS = TimeUnit.MINUTES.toNanos(10);

    /** A middlebox may have forgotten an older one. */
    static final long AGE_NANOS = TimeUnit.SECONDS.toNanos(55);

    /** Then another one is asked for, which takes its place. */
    static final long OLD_NANOS = TimeUnit.SECONDS.toNanos(50);

    private final List<DataConnection> ready = new ArrayList<>();
    private final Map<Long, Long> requested = new HashMap<>();
    private int target;
    private long lastVisitor;
    private long lastDemand;
    private boolean closed;

    /**
     * Takes a connection for a visitor, if there is one: of the visitor's thread if possible, and of those the newest.
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
            // the last ones count too: whoever comes at the same time would find nothing
            if (ready.size() < target / 4 || target == 1) {
                target = Math.min(MOST, target + 1);
            }
        }
        return taken;
    }

    /** How many should be asked for now. */
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

    /** One is about to be asked for; false if none is wanted any more. */
    synchronized boolean requested(long id, long until) {
        if (closed) {
            return false;
        }
        requested.put(id, until);
        return true;
    }

    /** Whether one was asked for, and isn't there. */
    synchronized boolean isRequested(long id) {
        return requested.containsKey(id);
    }

    /** One that was asked for won't come; false if it wasn't. */
    synchronized boolean failed(long id) {
        return requested.remove(id) != null;
    }

    /** One that was asked for is there; false if it isn't wanted any more. */
    synchronized boolean add(long id, DataConnection connection) {
        requested.remove(id);
        if (closed || ready.size() >= MOST) {
            return false;
        }
        ready.add(connection);
        return true;
    }

    /** One is gone. */
    synchronized void remove(DataConnection connection) {
        ready.remove(connection);
    }

    /** Whether a connection that timed out makes the others suspicious: takes them all out. */
    synchronized List<DataConnection> takeAll() {
        List<DataConnection> all = List.copyOf(ready);
        ready.clear();
        return all;
    }

    /**
     * Looks at the time.
     *
     * @return those that have become too many: to be closed
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
     * No more.
     *
     * @param unanswered gets those that were asked for and haven't come
     * @return those that there are, to be closed
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
