package io.webproxy.undertow.deadline;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.xnio.XnioIoThread;

/**
 * Looks at all deadlines of one IO thread every 50 ms, in place of a timer for each; it rests while there is nothing to
 * look at. Everything but the constructor is called on that thread.
 */
public final class Sweeper {
    private static final long PERIOD_MILLIS = 50;
    /** A thread that comes so late was held up. */
    private static final long LATE_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private final XnioIoThread thread;
    private final LongSupplier nanoClock;
    private final List<Watched> all = new ArrayList<>();
    private final Runnable tick = this::tick;
    private boolean scheduled;
    /** The system's time by which the next look is due: other clocks may be turned. */
    private long due;

    private boolean putOff;

    /** A sweeper for a thread, by a monotonic clock in nanoseconds. */
    public Sweeper(XnioIoThread thread, LongSupplier nanoClock) {
        this.thread = thread;
        this.nanoClock = nanoClock;
    }

    /** The clock that deadlines are measured by. */
    public long now() {
        return nanoClock.getAsLong();
    }

    /** The thread that this sweeper belongs to. */
    public XnioIoThread thread() {
        return thread;
    }

    /** Starts to look at something; no effect if it is already watched. */
    public void watch(Watched watched) {
        if (watched.slot < 0) {
            watched.slot = all.size();
            all.add(watched);
        }
        schedule();
    }

    /** Looks no more; no effect if it isn't watched. */
    public void forget(Watched watched) {
        if (watched.slot >= 0) {
            Watched last = all.remove(all.size() - 1);
            if (last != watched) {
                all.set(watched.slot, last);
                last.slot = watched.slot;
            }
            watched.slot = -1;
        }
    }

    /** Ends everything that is watched. */
    public void cutAll() {
        for (Watched watched : List.copyOf(all)) {
            if (watched.slot >= 0) {
                Guard.run("the cut of what is left", watched::cut);
            }
        }
    }

    void sweep() {
        long now = now();
        for (int i = all.size() - 1; i >= 0; i--) {
            if (i < all.size()) {
                Watched watched = all.get(i);
                Guard.run("a sweep", () -> look(watched, now));
            }
        }
    }

    private static void look(Watched watched, long now) {
        long deadline = watched.deadline();
        if (deadline != Long.MAX_VALUE && deadline - now <= 0) {
            watched.expired(now);
        } else {
            watched.seen(now);
        }
    }

    private void tick() {
        scheduled = false;
        if (!putOff && System.nanoTime() - due > LATE_NANOS) {
            // what others have sent meanwhile counts, and the thread reads it only after this
            putOff = true;
            schedule(1);
            return;
        }
        putOff = false;
        try {
            sweep();
        } finally {
            schedule();
        }
    }

    private void schedule() {
        schedule(PERIOD_MILLIS);
    }

    private void schedule(long millis) {
        if (!scheduled && !all.isEmpty()) {
            due = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
            // if that throws, it is tried again with the next that is watched
            IoTasks.executeAfter(thread, tick, millis);
            scheduled = true;
        }
    }
}
