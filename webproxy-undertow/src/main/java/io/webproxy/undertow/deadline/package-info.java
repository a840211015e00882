/** Deadlines: one coarse sweep for each IO thread in place of a timer for each wait. */
@NullMarked
package io.webproxy.undertow.deadline;

import org.jspecify.annotations.NullMarked;
