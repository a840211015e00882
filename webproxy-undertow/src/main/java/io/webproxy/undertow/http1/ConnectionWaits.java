package io.webproxy.undertow.http1;

import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The time limits of a connection between two exchanges: for a request, for the rest of its head, and for one last
 * request when its endpoint closes.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class ConnectionWaits {
    private static final long FAREWELL_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    /** Hears the outcome of a wait. */
    interface Listener {
        /** No request arrived in time, or the server is closing. */
        void waitedInVain();

        /** The rest of a head didn't arrive in time. */
        void headTooSlow();

        /** Serves what has arrived by now, then ends the connection if it is idle. */
        void lastLook();
    }

    private final Http1 shared;
    private final Sweeper sweeper;
    private final IdleConnections idle;
    private final Listener listener;
    private final Place place = new Place();
    private @Nullable HeadWait head;
    private @Nullable Farewell farewell;
    private boolean leaving;

    ConnectionWaits(Http1 shared, Sweeper sweeper, IdleConnections idle, Listener listener) {
        this.shared = shared;
        this.sweeper = sweeper;
        this.idle = idle;
        this.listener = listener;
    }

    /** Starts to wait for a request. */
    void forRequest() {
        idle.add(place);
        if (leaving) {
            bidFarewell();
        }
    }

    /** Part of a head has arrived: starts to wait for the rest. */
    void forHead() {
        if (!isIdle()) {
            return;
        }
        idle.remove(place);
        if (head == null) {
            head = new HeadWait();
        }
        head.start();
    }

    /** Stops waiting. */
    void stop() {
        idle.remove(place);
        if (head != null) {
            sweeper.forget(head);
        }
        if (farewell != null) {
            farewell.end();
        }
    }

    /** Whether it waits for a request of which nothing has arrived. */
    boolean isIdle() {
        return place.isWaiting();
    }

    /** The endpoint is closing: the connection ends after the current exchange, or if no further request arrives. */
    void leave() {
        leaving = true;
        bidFarewell();
    }

    boolean isLeaving() {
        return leaving;
    }

    private void bidFarewell() {
        if (farewell == null && isIdle()) {
            farewell = new Farewell();
            sweeper.watch(farewell);
        }
    }

    private final class Place extends IdleConnections.Place {
        @Override
        void expired() {
            listener.waitedInVain();
        }
    }

    /** The wait for the rest of a head. */
    private final class HeadWait extends Watched {
        private long deadline;

        void start() {
            deadline = sweeper.now() + shared.limits().headTime().toNanos();
            sweeper.watch(this);
        }

        @Override
        protected long deadline() {
            return deadline;
        }

        @Override
        protected void expired(long now) {
            sweeper.forget(this);
            listener.headTooSlow();
        }

        @Override
        protected void cut() {
            listener.waitedInVain();
        }
    }

    /**
     * The close of an idle connection. A client that has just had a response is likely to send another request, which
     * would be lost: for half a second such a request is still answered, with {@code Connection: close} (RFC 9112
     * section 9.5).
     */
    private final class Farewell extends Watched {
        @Override
        protected long deadline() {
            return place.since() + FAREWELL_NANOS;
        }

        @Override
        protected void seen(long now) {
            if (!isIdle()) {
                end();
            }
        }

        @Override
        protected void expired(long now) {
            end();
            listener.lastLook();
        }

        @Override
        protected void cut() {
            end();
            listener.waitedInVain();
        }

        private void end() {
            sweeper.forget(this);
            farewell = null;
        }
    }
}
