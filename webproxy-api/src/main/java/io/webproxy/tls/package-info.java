/** Where the server certificates come from. */
@NullMarked
package io.webproxy.tls;

import org.jspecify.annotations.NullMarked;
