/** The public and the private side of tunnels: a service that only dials out is reached through a public server. */
@NullMarked
package io.webproxy.undertow.tunnel;

import org.jspecify.annotations.NullMarked;
