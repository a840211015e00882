/** The connection to a certificate authority: its directory, its answers, its failures. */
@NullMarked
package io.webproxy.acme.ca;

import org.jspecify.annotations.NullMarked;
