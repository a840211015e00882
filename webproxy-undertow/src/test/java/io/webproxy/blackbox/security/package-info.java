/** What clients can't forge, reach or make the proxy say. */
package io.webproxy.blackbox.security;
