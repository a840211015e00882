/**
 * WebSocket frames, as far as a proxy has to know them: their boundaries, and the control frames that it sends. No I/O.
 */
@NullMarked
package io.webproxy.undertow.websocket;

import org.jspecify.annotations.NullMarked;
