/** Checks what could make an order fail, without placing one. */
@NullMarked
package io.webproxy.acme.check;

import org.jspecify.annotations.NullMarked;
