/** Certificates in care: when each is obtained and renewed, and what is served meanwhile. */
@NullMarked
package io.webproxy.acme.renewal;

import org.jspecify.annotations.NullMarked;
