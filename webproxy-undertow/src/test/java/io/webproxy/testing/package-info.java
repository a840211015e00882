/**
 * Fixtures: upstreams and clients in bytes, a proxy with real certificates, and a check for what tests leave behind.
 */
@NullMarked
package io.webproxy.testing;

import org.jspecify.annotations.NullMarked;
