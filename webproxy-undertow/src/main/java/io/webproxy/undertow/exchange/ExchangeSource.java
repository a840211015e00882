package io.webproxy.undertow.exchange;

/**
 * A connection, or a stream of one, that requests come through: the one seam between exchanges and the protocols on the
 * wire. Its methods are called on its IO thread.
 */
public interface ExchangeSource {
    /** Where it comes from. */
    Origin origin();

    /** The client's side of an exchange whose request head has just come through it. */
    ClientStream stream(Exchange exchange);
}
