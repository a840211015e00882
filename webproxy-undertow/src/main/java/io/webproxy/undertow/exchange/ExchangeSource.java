package io.webproxy.undertow.exchange;

/**
 * A connection, or a stream of one, that requests arrive on: the one interface by which exchanges use the protocols on
 * the wire. Its methods are called on its IO thread.
 */
public interface ExchangeSource {
    /** Where the client's connection comes from. */
    Origin origin();

    /** Makes the client's side of an exchange whose request head has just arrived on it. */
    ClientStream stream(Exchange exchange);
}
