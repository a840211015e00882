/**
 * Fixtures that know no engine: upstreams and clients in bytes, a CA, programs of others, and a check for what tests
 * leave behind.
 */
@NullMarked
package io.webproxy.testing;

import org.jspecify.annotations.NullMarked;
