/**
 * Certificates that a certificate authority issues and renews by ACME (RFC 8555).
 *
 * <p>ACME arrives with a later release: this package holds nothing usable yet.
 */
@NullMarked
package io.webproxy.acme;

import org.jspecify.annotations.NullMarked;
