/** Pure decisions from the first bytes of a connection. */
@NullMarked
package io.webproxy.undertow.sniff;

import org.jspecify.annotations.NullMarked;
