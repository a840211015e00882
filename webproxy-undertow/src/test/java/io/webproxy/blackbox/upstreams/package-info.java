/** Groups of upstreams: choice, health, pools, connections, and what a failed one means for a request. */
package io.webproxy.blackbox.upstreams;
