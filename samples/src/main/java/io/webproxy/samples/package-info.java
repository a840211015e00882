/** Main programs, one per use, and the runnable jar. */
@NullMarked
package io.webproxy.samples;

import org.jspecify.annotations.NullMarked;
