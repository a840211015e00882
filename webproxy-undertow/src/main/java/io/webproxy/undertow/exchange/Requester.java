package io.webproxy.undertow.exchange;

import java.net.InetAddress;

/**
 * The client of a request and its scheme: the peer's, or those that a trusted proxy named.
 *
 * @param address of the client
 * @param scheme {@code http} or {@code https}: how the client reached this server or the trusted proxy
 */
public record Requester(InetAddress address, String scheme) {}
