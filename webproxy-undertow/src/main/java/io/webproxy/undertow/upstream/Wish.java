package io.webproxy.undertow.upstream;

import java.time.Duration;

/**
 * What kind of connection a taker needs from its pool.
 *
 * @param fresh whether the connection must be newer than the one that failed
 * @param probe whether to check an idle connection first, for requests that can't be retried
 * @param connectLimit for opening a connection; zero for none
 * @param newest if {@code fresh}, the number of the newest shared connection that is too old
 */
record Wish(UpstreamPool.Taker taker, boolean fresh, boolean probe, Duration connectLimit, long newest) {
    Wish(UpstreamPool.Taker taker, boolean fresh, boolean probe, Duration connectLimit) {
        this(taker, fresh, probe, connectLimit, Long.MAX_VALUE);
    }

    /** A copy for which shared connections above this number are fresh; no effect if it has a number already. */
    Wish after(long number) {
        return fresh && newest == Long.MAX_VALUE ? new Wish(taker, true, probe, connectLimit, number) : this;
    }

    boolean isHttp11() {
        return taker.needs() == UpstreamPool.Need.HTTP_1_1;
    }

    /** A copy for a new connection. */
    Wish renewed() {
        return new Wish(taker, true, false, connectLimit);
    }

    boolean isWebSocket() {
        return taker.needs() == UpstreamPool.Need.WEB_SOCKET;
    }
}
