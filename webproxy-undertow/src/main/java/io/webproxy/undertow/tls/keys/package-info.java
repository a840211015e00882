/** Reads and makes keys and certificates: PEM, PKCS#12, self-signed ones, and trust stores. */
@NullMarked
package io.webproxy.undertow.tls.keys;

import org.jspecify.annotations.NullMarked;
