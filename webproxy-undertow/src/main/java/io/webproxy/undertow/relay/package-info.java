/** Relays bytes both ways between two connections: for port rules, tunnels and WebSockets. */
@NullMarked
package io.webproxy.undertow.relay;

import org.jspecify.annotations.NullMarked;
