/** From accepting a connection to knowing its protocol: PROXY header, port rules, TLS handshake. */
@NullMarked
package io.webproxy.undertow.endpoint;

import org.jspecify.annotations.NullMarked;
