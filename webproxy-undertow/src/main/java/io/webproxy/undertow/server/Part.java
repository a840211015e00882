package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;

/**
 * A part of a server that changes together with all others, or not at all: see {@link Transaction}. Changes come one at
 * a time.
 */
@FunctionalInterface
interface Part {
    /**
     * Does everything in a change that can fail, without visible effects: reads files, binds ports, starts what is new.
     * The parts before it are prepared already. Not for an IO thread.
     *
     * @throws io.webproxy.ProxyStartException with one sentence, if it fails; whatever is thrown, nothing is left of
     *     the preparation
     */
    Change prepare(ProxyConfig next);
}
