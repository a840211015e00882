/**
 * TLS implementations and their engines: they know the keys of their handshake, remember why they failed, and free what
 * they hold.
 */
@NullMarked
package io.webproxy.undertow.tls.engine;

import org.jspecify.annotations.NullMarked;
