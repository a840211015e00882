/** TLS on both sides: which certificate is served to which client, and which peers are trusted. */
@NullMarked
package io.webproxy.undertow.tls;

import org.jspecify.annotations.NullMarked;
