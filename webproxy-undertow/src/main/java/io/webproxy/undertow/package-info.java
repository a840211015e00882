/** The engine that the API finds; all but {@link io.webproxy.undertow.UndertowEngine} is internal. */
@NullMarked
package io.webproxy.undertow;

import org.jspecify.annotations.NullMarked;
