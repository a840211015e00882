/** Bodies, calls and WebSockets while they run: nothing is held back, and each end is passed on. */
package io.webproxy.blackbox.streaming;
