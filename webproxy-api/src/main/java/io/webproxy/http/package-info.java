/** Read-only views of request and response heads. */
@NullMarked
package io.webproxy.http;

import org.jspecify.annotations.NullMarked;
