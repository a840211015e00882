/** TLS on both sides: keys and certificates, which one is served, and engines that give back what they hold. */
@NullMarked
package io.webproxy.undertow.tls;

import org.jspecify.annotations.NullMarked;
