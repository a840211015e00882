/**
 * Forwards exchanges by Undertow's proxy handler: attempts and retries, heads in both directions, responses and
 * WebSockets.
 */
@NullMarked
package io.webproxy.undertow.forward;

import org.jspecify.annotations.NullMarked;
