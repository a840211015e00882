/** The life cycle of a server: all-or-nothing start and updates, drain, release. */
@NullMarked
package io.webproxy.undertow.server;

import org.jspecify.annotations.NullMarked;
