/**
 * Fixtures that know the engine: a proxy with real certificates, clients and upstreams that speak HTTP/2, its clock.
 */
@NullMarked
package io.webproxy.undertow.testing;

import org.jspecify.annotations.NullMarked;
