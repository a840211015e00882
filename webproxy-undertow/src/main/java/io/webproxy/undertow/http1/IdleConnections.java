package io.webproxy.undertow.http1;

import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The idle connections of one IO thread, the longest idle first, with one deadline for all.
 *
 * <p>Not thread-safe: it belongs to that thread.
 */
final class IdleConnections extends Watched {
    /** The entry of one connection. */
    abstract static class Place {
        private @Nullable Place before;
        private @Nullable Place after;
        private boolean waits;
        private long since;

        /** It was idle for too long. */
        abstract void expired();

        /** Since when it is idle. */
        final long since() {
            return since;
        }

        final boolean isWaiting() {
            return waits;
        }
    }

    private final Sweeper sweeper;
    private final LongSupplier limit;
    private @Nullable Place first;
    private @Nullable Place last;

    /** {@code limit}: the current idle limit in nanoseconds. */
    IdleConnections(Sweeper sweeper, LongSupplier limit) {
        this.sweeper = sweeper;
        this.limit = limit;
    }

    /** The connection is idle from now on. */
    void add(Place place) {
        remove(place);
        place.waits = true;
        place.since = sweeper.now();
        place.before = last;
        if (last == null) {
            first = place;
            sweeper.watch(this);
        } else {
            last.after = place;
        }
        last = place;
    }

    /** The connection isn't idle any more; idempotent. */
    void remove(Place place) {
        if (!place.waits) {
            return;
        }
        place.waits = false;
        Place before = place.before;
        Place after = place.after;
        if (before == null) {
            first = after;
        } else {
            before.after = after;
        }
        if (after == null) {
            last = before;
        } else {
            after.before = before;
        }
        place.before = null;
        place.after = null;
    }

    @Override
    protected long deadline() {
        Place longest = first;
        return longest == null ? Long.MAX_VALUE : longest.since + limit.getAsLong();
    }

    @Override
    protected void expired(long now) {
        long most = limit.getAsLong();
        for (Place place = first; place != null && now - place.since >= most; place = first) {
            remove(place);
            Guard.run("the end of an idle connection", place::expired);
        }
    }

    @Override
    protected void seen(long now) {
        if (first == null) {
            sweeper.forget(this);
        }
    }

    @Override
    protected void cut() {
        // closing the server closes its connections
    }
}
