/** What one exchange carries through all rooms: idle deadline, attribution, abort, record. */
@NullMarked
package io.webproxy.undertow.exchange;

import org.jspecify.annotations.NullMarked;
