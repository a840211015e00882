/** Physical connections to upstreams: addresses, pool, HTTP/1.1 codec. */
@NullMarked
package io.webproxy.undertow.upstream;

import org.jspecify.annotations.NullMarked;
