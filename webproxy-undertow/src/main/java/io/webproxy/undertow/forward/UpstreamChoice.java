package io.webproxy.undertow.forward;

import io.webproxy.http.RequestHead;
import io.webproxy.route.Balancing;
import io.webproxy.route.Upstream;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.upstream.UpstreamPool;
import io.webproxy.undertow.upstream.Upstreams;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Chooses an upstream for one exchange, and another one if the first fails. Upstreams that fail their health check are
 * never chosen, ejected ones only when no other is left, and on a route that sends requests again after an answer,
 * those that ask for time by {@code Retry-After} last.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread.
 */
final class UpstreamChoice implements Balancing.Choice {
    private final Exchange exchange;
    private final Upstreams pools;
    private final Balancing balancing;
    private final List<Candidate> all;
    private final List<UpstreamPool> loggedIn;
    private final boolean cooling;
    private final BitSet asked = new BitSet();
    private final int[] open;
    private int count;

    /** The group's balancing threw, or returned an invalid index. */
    static final class FailedException extends Exception {
        private static final long serialVersionUID = 1L;

        FailedException(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * For one exchange.
     *
     * @param loggedIn upstreams that its client has logged in to: any other would ask for a login again
     */
    UpstreamChoice(Exchange exchange, Upstreams pools, GroupState group, List<UpstreamPool> loggedIn) {
        this.exchange = exchange;
        this.pools = pools;
        this.loggedIn = loggedIn;
        this.cooling = exchange.route().retryOn().isOn();
        this.balancing = group.balancing();
        this.all = group.candidates();
        this.open = new int[all.size()];
    }

    /** Whether there is one that wasn't tried yet and isn't down. */
    boolean hasNext() {
        for (int i = 0; i < all.size(); i++) {
            if (mayBeAsked(i)) {
                return true;
            }
        }
        return false;
    }

    /** The same for one that doesn't ask for time, either. */
    boolean hasReady() {
        long now = now();
        for (int i = 0; i < all.size(); i++) {
            if (isReady(i, now)) {
                return true;
            }
        }
        return false;
    }

    private boolean isReady(int i, long now) {
        return mayBeAsked(i) && (!cooling || all.get(i).cooldown().isOver(now));
    }

    /** The time, for the choice. */
    long now() {
        return exchange.shared().nanoClock().getAsLong();
    }

    private boolean mayBeAsked(int i) {
        return !asked.get(i) && all.get(i).health().isHealthy();
    }

    /** The next one to try; null if none is left. */
    @Nullable Candidate next() throws FailedException {
        for (UpstreamPool own : loggedIn) {
            for (int i = 0; i < all.size(); i++) {
                if (mayBeAsked(i) && own.upstream().equals(all.get(i).upstream())) {
                    asked.set(i);
                    return all.get(i);
                }
            }
        }
        long now = now();
        collect(now);
        admit(now);
        while (count > 0) {
            int index = choose();
            UpstreamPool pool = pools.pool(all.get(open[index]).upstream());
            if (pool != null && pool.health().claims(now)) {
                return asks(index);
            }
            // a request on another thread has just begun to try it again
            System.arraycopy(open, index + 1, open, index, --count - index);
        }
        for (int i = 0; i < all.size(); i++) {
            if (isReady(i, now)) {
                open[count++] = i;
            }
        }
        return count == 0 ? soonest(now) : asks(choose());
    }

    /** Those that are preferred: neither ejected nor asking for time. */
    private void collect(long now) {
        count = 0;
        for (int i = 0; i < all.size(); i++) {
            Candidate one = all.get(i);
            UpstreamPool pool = pools.pool(one.upstream());
            boolean usable = one.health().isHealthy()
                    && !one.isPaused(now)
                    && pool != null
                    && pool.health().mayBeTried(now);
            SlowStart start = one.slowStart();
            if (start != null) {
                start.saw(usable, now);
            }
            if (usable && isReady(i, now)) {
                open[count++] = i;
            }
        }
    }

    /** Leaves out those that start slowly and have had their share, if others are left. */
    private void admit(long now) {
        int admitted = 0;
        for (int i = 0; i < count; i++) {
            SlowStart start = all.get(open[i]).slowStart();
            if (start == null || start.admits(now)) {
                open[admitted++] = open[i];
            }
        }
        if (admitted > 0) {
            count = admitted;
        }
    }

    /** One of those to choose from. */
    Candidate candidate(int index) {
        return all.get(open[Objects.checkIndex(index, count)]);
    }

    /** The one whose time is over first, if all that are left ask for time. */
    private @Nullable Candidate soonest(long now) {
        int best = -1;
        for (int i = 0; i < all.size(); i++) {
            if (mayBeAsked(i)
                    && (best < 0
                            || all.get(i).cooldown().left(now)
                                    < all.get(best).cooldown().left(now))) {
                best = i;
            }
        }
        if (best < 0) {
            return null;
        }
        asked.set(best);
        return all.get(best);
    }

    private Candidate asks(int index) {
        asked.set(open[index]);
        return all.get(open[index]);
    }

    private int choose() throws FailedException {
        if (count == 1) {
            return 0;
        }
        int chosen;
        try {
            chosen = balancing.choose(this);
        } catch (RuntimeException | Error e) {
            throw new FailedException("the Balancing threw", e);
        }
        if (chosen < 0 || chosen >= count) {
            throw new FailedException("the Balancing gave " + chosen + " (expected: 0 to " + (count - 1) + ")", null);
        }
        return chosen;
    }

    @Override
    public int count() {
        return count;
    }

    @Override
    public Upstream upstream(int index) {
        return candidate(index).upstream();
    }

    @Override
    public int inFlight(int index) {
        UpstreamPool pool = pools.pool(upstream(index));
        int inFlight = pool == null ? 0 : pool.inFlight().count();
        SlowStart start = candidate(index).slowStart();
        return start == null ? inFlight : start.counted(inFlight, now());
    }

    @Override
    public RequestHead request() {
        return exchange.head();
    }
}
