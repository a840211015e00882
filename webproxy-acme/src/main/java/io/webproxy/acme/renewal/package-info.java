/** Obtains and renews certificates: when to ask the CA, and which certificates are served meanwhile. */
@NullMarked
package io.webproxy.acme.renewal;

import org.jspecify.annotations.NullMarked;
