/** Connections to upstreams: look-ups, pools, health, the HTTP/1.1 codec, and streams of HTTP/2. */
@NullMarked
package io.webproxy.undertow.upstream;

import org.jspecify.annotations.NullMarked;
