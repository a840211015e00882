package io.webproxy.undertow.http1;

import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How long a connection waits between two exchanges: for a request, for the rest of its head, and for one last request
 * when its endpoint goes away.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class ConnectionWaits {
    private static final long FAREWELL_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    /** What becomes of a wait. */
    interface Listener {
        /** No request has come in time, or the server ends. */
        void waitedInVain();

        /** The rest of a head hasn't come in time. */
        void headTooSlow();

        /** Whatever has come by now is to be served; then the connection ends if it still is idle. */
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

    /** From now on a request is waited for. */
    void forRequest() {
        idle.add(place);
        if (leaving) {
            bidFarewell();
        }
    }

    /** Part of a head has come. */
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

    /** Nothing is waited for any more. */
    void stop() {
        idle.remove(place);
        if (head != null) {
            sweeper.forget(head);
        }
        if (farewell != null) {
            farewell.end();
        }
    }

    /** Whether a request is waited for, and nothing of it has come. */
    boolean isIdle() {
        return place.isWaiting();
    }

    /**
     * The endpoint goes away: the connection ends after the exchange that is under way, or once no request comes any
     * more.
     */
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

    /** For the rest of a head. */
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
     * The close of an idle connection. A client that has just had an answer is about to ask again, most likely, and
     * would lose what it asks: it has half a second to be told that the connection closes (RFC 9112 section 9.5).
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
