/** From an accepted connection to the protocol that it speaks. */
@NullMarked
package io.webproxy.undertow.endpoint;

import org.jspecify.annotations.NullMarked;
