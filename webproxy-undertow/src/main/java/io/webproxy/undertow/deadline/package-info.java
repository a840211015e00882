/**
 * What all have in common on an IO thread: deadlines, by one coarse sweep in place of a timer for each wait, and turns.
 */
@NullMarked
package io.webproxy.undertow.deadline;

import org.jspecify.annotations.NullMarked;
