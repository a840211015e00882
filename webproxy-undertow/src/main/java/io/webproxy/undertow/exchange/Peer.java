package io.webproxy.undertow.exchange;

import java.net.InetAddress;

/**
 * The other end of a client's connection.
 *
 * @param name the address as text, without a zone
 * @param trusted whether its forwarding fields are believed
 * @param identity its client certificate
 */
public record Peer(InetAddress address, String name, boolean trusted, Identity identity) {}
