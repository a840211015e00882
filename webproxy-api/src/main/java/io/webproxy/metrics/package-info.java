/** Metrics of a server by Micrometer, which is an optional dependency: only this package needs it. */
@NullMarked
package io.webproxy.metrics;

import org.jspecify.annotations.NullMarked;
