/** Recognises protocols by the first bytes of a connection. Pure. */
@NullMarked
package io.webproxy.undertow.sniff;

import org.jspecify.annotations.NullMarked;
