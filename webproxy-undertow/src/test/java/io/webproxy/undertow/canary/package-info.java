/**
 * Drives the parts of others alone, as they come: each test shows a defect that a workaround of the engine is for, and
 * fails on the day the defect is gone. Which workaround can go then is said by its failure and by the table in the
 * module's README.
 */
@NullMarked
package io.webproxy.undertow.canary;

import org.jspecify.annotations.NullMarked;
