/** The stages that a request passes before it is forwarded: checks, redirects, routing, authentication, filter. */
@NullMarked
package io.webproxy.undertow.pipeline;

import org.jspecify.annotations.NullMarked;
