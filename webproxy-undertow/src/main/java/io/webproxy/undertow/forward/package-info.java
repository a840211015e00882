/** Undertow's proxy handler, wired: one façade client connection for each exchange. */
@NullMarked
package io.webproxy.undertow.forward;

import org.jspecify.annotations.NullMarked;
