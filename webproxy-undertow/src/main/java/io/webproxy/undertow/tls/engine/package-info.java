/**
 * TLS implementations and their engines, which know what the client has said, say why they failed, and give back what
 * they hold.
 */
@NullMarked
package io.webproxy.undertow.tls.engine;

import org.jspecify.annotations.NullMarked;
