/** Bound addresses and what they speak. */
@NullMarked
package io.webproxy.port;

import org.jspecify.annotations.NullMarked;
