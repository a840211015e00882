/** HTTP/2 (RFC 9113) and its compression of fields, HPACK (RFC 7541). */
@NullMarked
package io.webproxy.undertow.http2;

import org.jspecify.annotations.NullMarked;
