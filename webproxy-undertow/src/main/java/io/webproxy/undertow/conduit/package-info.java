/** What conduits have in common that see every byte. */
@NullMarked
package io.webproxy.undertow.conduit;

import org.jspecify.annotations.NullMarked;
