/** Key files in, key material out: PEM, PKCS#12, self-signed certificates, and whom they vouch for. */
@NullMarked
package io.webproxy.undertow.tls.keys;

import org.jspecify.annotations.NullMarked;
