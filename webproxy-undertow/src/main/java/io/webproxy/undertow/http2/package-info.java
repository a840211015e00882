/**
 * HTTP/2 on the wire (RFC 9113, RFC 7541): frames, HPACK, windows, streams, and the connections of clients and to
 * upstreams.
 */
@NullMarked
package io.webproxy.undertow.http2;

import org.jspecify.annotations.NullMarked;
