/** HTTP/1.1 from clients: request heads, bodies in both directions, and the life cycle of a connection. */
@NullMarked
package io.webproxy.undertow.http1;

import org.jspecify.annotations.NullMarked;
