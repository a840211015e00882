/** Base classes for conduits that see every byte. */
@NullMarked
package io.webproxy.undertow.conduit;

import org.jspecify.annotations.NullMarked;
