/** How long, how many and how much, and what a client sees when a limit is reached. */
package io.webproxy.blackbox.limits;
