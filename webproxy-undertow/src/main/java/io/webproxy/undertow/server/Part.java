package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;

/**
 * A part of a server that changes together with all others, or not at all: see {@link Transaction}. Changes come one at
 * a time.
 */
@FunctionalInterface
interface Part {
    /**
     * Does all of a change that can fail, and nothing that shows: it reads files, binds ports, starts what is new. A
     * part may count on those before it being prepared. Not for an IO thread.
     *
     * @throws io.webproxy.ProxyStartException with one sentence, if it can't; nothing of it is left then, whatever is
     *     thrown
     */
    Change prepare(ProxyConfig next);
}
