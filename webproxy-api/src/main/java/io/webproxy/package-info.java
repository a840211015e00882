/** The server, its configuration and the seam to the engine. */
@NullMarked
package io.webproxy;

import org.jspecify.annotations.NullMarked;
