package io.webproxy.undertow.upstream;

import java.time.Duration;

/**
 * What a taker wants of its pool.
 *
 * @param fresh whether a connection that was open when another one failed won't do
 * @param probe whether an idle connection is to be looked at before it is given, for requests that can't be sent twice
 * @param connectLimit for opening one; zero for none
 * @param newest the number of the newest shared connection that won't do if it is to be fresh
 */
record Wish(UpstreamPool.Taker taker, boolean fresh, boolean probe, Duration connectLimit, long newest) {
    Wish(UpstreamPool.Taker taker, boolean fresh, boolean probe, Duration connectLimit) {
        this(taker, fresh, probe, connectLimit, Long.MAX_VALUE);
    }

    /** The same where shared connections above a number are fresh; has no effect on one that knows already. */
    Wish after(long number) {
        return fresh && newest == Long.MAX_VALUE ? new Wish(taker, true, probe, connectLimit, number) : this;
    }

    boolean isHttp11() {
        return taker.needs() == UpstreamPool.Need.HTTP_1_1;
    }

    /** The same for a connection that is new. */
    Wish renewed() {
        return new Wish(taker, true, false, connectLimit);
    }

    boolean isWebSocket() {
        return taker.needs() == UpstreamPool.Need.WEB_SOCKET;
    }
}
