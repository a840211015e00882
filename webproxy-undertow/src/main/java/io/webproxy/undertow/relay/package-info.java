/** Two-way byte copy between two connections. */
@NullMarked
package io.webproxy.undertow.relay;

import org.jspecify.annotations.NullMarked;
