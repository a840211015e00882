/**
 * Hostile HTTP/1.1 as data: case files, what reads them, an upstream that writes down what reaches it, and the run of
 * all cases.
 */
@NullMarked
package io.webproxy.corpus;

import org.jspecify.annotations.NullMarked;
