/** A small web service that shows what passes through a proxy. */
@NullMarked
package io.webproxy.samples.demo;

import org.jspecify.annotations.NullMarked;
