/** Every sample starts and does what it says. */
@NullMarked
package io.webproxy.samples;

import org.jspecify.annotations.NullMarked;
