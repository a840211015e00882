/** The handlers in front of the forwarder: guard, redirect, route, authentication, timeout class. */
@NullMarked
package io.webproxy.undertow.http;

import org.jspecify.annotations.NullMarked;
