/**
 * One request and its response, whatever protocol they come by: deadlines, who failed, abort, record; and the seam to
 * the protocols on the wire.
 */
@NullMarked
package io.webproxy.undertow.exchange;

import org.jspecify.annotations.NullMarked;
