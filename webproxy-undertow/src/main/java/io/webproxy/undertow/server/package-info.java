/** Life cycle: start all-or-nothing, update, drain, close. */
@NullMarked
package io.webproxy.undertow.server;

import org.jspecify.annotations.NullMarked;
