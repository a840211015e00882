/** The grammar of HTTP messages: fields, trailers, chunks and dates. Pure. */
@NullMarked
package io.webproxy.undertow.message;

import org.jspecify.annotations.NullMarked;
