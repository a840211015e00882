/**
 * What the engine and {@code webproxy-acme} share with the public packages: grammar, rules as they are read, the
 * records that the engine makes of what users only read, and the engine's own contract. It is exported to these two
 * only, and may change with every version.
 */
@NullMarked
package io.webproxy.spi;

import org.jspecify.annotations.NullMarked;
