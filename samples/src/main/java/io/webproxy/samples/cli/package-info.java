/** The command line of the runnable jar. */
@NullMarked
package io.webproxy.samples.cli;

import org.jspecify.annotations.NullMarked;
