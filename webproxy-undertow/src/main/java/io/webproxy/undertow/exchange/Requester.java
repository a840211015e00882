package io.webproxy.undertow.exchange;

import java.net.InetAddress;

/**
 * Whose request it is, and how it came: the peer itself, or whom a trusted proxy has named.
 *
 * @param address of the client
 * @param scheme {@code http} or {@code https}: how the client has reached this server, or the proxy
 */
public record Requester(InetAddress address, String scheme) {}
