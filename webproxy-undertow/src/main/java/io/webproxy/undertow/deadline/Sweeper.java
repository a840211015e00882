package io.webproxy.undertow.deadline;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.xnio.XnioIoThread;

/**
 * Checks all deadlines of one IO thread every 50 ms, instead of a timer for each; it rests while there are none. All
 * but the constructor must be called on that thread.
 */
public final class Sweeper {
    private static final long PERIOD_MILLIS = 50;
    /** A sweep that is this late means that the thread was held up. */
    private static final long LATE_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private final XnioIoThread thread;
    private final LongSupplier nanoClock;
    private final List<Watched> all = new ArrayList<>();
    private final Runnable tick = this::tick;
    private boolean scheduled;
    /** When the next sweep is due, by the system's clock: tests may turn the other one. */
    private long due;

    private boolean putOff;

    /** A sweeper for a thread, by a monotonic clock in nanoseconds. */
    public Sweeper(XnioIoThread thread, LongSupplier nanoClock) {
        this.thread = thread;
        this.nanoClock = nanoClock;
    }

    /** The clock of the deadlines. */
    public long now() {
        return nanoClock.getAsLong();
    }

    /** The thread that this sweeper belongs to. */
    public XnioIoThread thread() {
        return thread;
    }

    /** Starts to watch; no effect if it is already watched. */
    public void watch(Watched watched) {
        if (watched.slot < 0) {
            watched.slot = all.size();
            all.add(watched);
        }
        schedule();
    }

    /** Stops watching; no effect if it isn't watched. */
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

    /** Shows everything that is watched, which must not change meanwhile. */
    public void each(Consumer<Watched> what) {
        all.forEach(what);
    }

    /** Cuts everything that is watched. */
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
            // what was received meanwhile counts, and the thread reads it only after this
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
            // if this throws, the next watch tries it again
            IoTasks.executeAfter(thread, tick, millis);
            scheduled = true;
        }
    }
}
