/** Hands records to observers and the access log. */
@NullMarked
package io.webproxy.undertow.observe;

import org.jspecify.annotations.NullMarked;
