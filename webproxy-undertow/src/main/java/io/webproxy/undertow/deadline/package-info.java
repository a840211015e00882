/**
 * Shared by all code on IO threads: deadlines by one coarse sweep instead of timers, turns, guards, and budgets of
 * descriptors and memory.
 */
@NullMarked
package io.webproxy.undertow.deadline;

import org.jspecify.annotations.NullMarked;
