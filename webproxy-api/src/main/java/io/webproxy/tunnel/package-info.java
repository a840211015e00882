/** Services that only dial out, and the public server that their clients reach them by. */
@NullMarked
package io.webproxy.tunnel;

import org.jspecify.annotations.NullMarked;
