/** Ports that several protocols share, and tunnels. */
package io.webproxy.blackbox.ports;
