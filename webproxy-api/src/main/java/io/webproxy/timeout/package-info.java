/** Timeout classes: how long an exchange may stay silent. */
@NullMarked
package io.webproxy.timeout;

import org.jspecify.annotations.NullMarked;
