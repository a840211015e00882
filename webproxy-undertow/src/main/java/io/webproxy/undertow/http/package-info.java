/** The handlers in front of the proxy handler: guard, redirect, route, authentication, timeout class. */
@NullMarked
package io.webproxy.undertow.http;

import org.jspecify.annotations.NullMarked;
