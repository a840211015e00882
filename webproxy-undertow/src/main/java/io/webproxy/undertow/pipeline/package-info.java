/** The handlers in front of the proxy handler: guard, redirect, route, authentication, timeout class. */
@NullMarked
package io.webproxy.undertow.pipeline;

import org.jspecify.annotations.NullMarked;
