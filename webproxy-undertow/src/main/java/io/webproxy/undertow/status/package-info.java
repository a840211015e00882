/** The status page: what it remembers, its JSON, its viewers. */
@NullMarked
package io.webproxy.undertow.status;

import org.jspecify.annotations.NullMarked;
