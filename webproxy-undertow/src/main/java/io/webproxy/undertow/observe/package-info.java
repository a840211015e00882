/** Passes records to observers and to the access log. */
@NullMarked
package io.webproxy.undertow.observe;

import org.jspecify.annotations.NullMarked;
