package io.webproxy.undertow.exchange;

import java.net.InetAddress;

/**
 * Who is on the other end of a client's connection.
 *
 * @param name the textual form of the address, without a zone
 * @param trusted whether its forwarding fields are believed
 * @param identity who it has proved to be
 */
public record Peer(InetAddress address, String name, boolean trusted, Identity identity) {}
