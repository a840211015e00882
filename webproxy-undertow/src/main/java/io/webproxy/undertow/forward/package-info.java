/** Forwards exchanges to upstreams: choice, retries, heads, bodies, and the answers where there is no upstream's. */
@NullMarked
package io.webproxy.undertow.forward;

import org.jspecify.annotations.NullMarked;
