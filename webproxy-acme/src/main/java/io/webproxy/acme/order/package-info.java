/** ACME orders, from account to chain (RFC 8555 section 7). */
@NullMarked
package io.webproxy.acme.order;

import org.jspecify.annotations.NullMarked;
