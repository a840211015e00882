/**
 * WebSocket frames, as far as a proxy has to know them: where one ends, and the few that it makes itself. Bytes in,
 * decision out, no I/O.
 */
@NullMarked
package io.webproxy.undertow.websocket;

import org.jspecify.annotations.NullMarked;
