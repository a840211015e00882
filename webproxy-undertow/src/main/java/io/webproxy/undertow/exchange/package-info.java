/**
 * One request and its response, independent of the protocol: deadlines, errors, abort, record; and the interface to the
 * protocols on the wire.
 */
@NullMarked
package io.webproxy.undertow.exchange;

import org.jspecify.annotations.NullMarked;
